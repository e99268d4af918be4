"""The report of one campaign: funnel, money, forecast and outcome, clicks, and who is behind each number."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import timedelta

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils.text import slugify

from accounts.backends import allowed
from accounts.shell import page, render
from attribution import selectors as attribution
from attribution.selectors import CampaignReport, CampaignReturn
from campaigns import selectors
from campaigns.admin import standing
from campaigns.admin.forecasts import verdicts
from campaigns.models import Campaign, CampaignOutcome
from campaigns.selectors import Report
from common import clock, figures, tenancy
from common.export import csv_response, safe
from common.periods import LONGEST, Period
from dashboards.boards.base import Tile
from dashboards.boards.campaigns import TIERS
from dashboards.campaign import clicks, effects, funnel, lines
from dashboards.cards.base import Reading

PICTURES = ["'self'", "data:", "https:"]


@page("campaigns")
def report_page(request: HttpRequest, pk: int) -> HttpResponse:
    """What came of the campaign; `?csv=report` is every figure as a file, `?csv=funnel` the funnel."""
    campaign = _campaign(pk)
    report = selectors.report(campaign)
    outcome = CampaignOutcome.objects.filter(campaign=campaign).first()
    sections, chart = lines.lines(campaign, report), funnel.chart(campaign, report, outcome)
    foreseen = verdicts(selectors.told(campaign), outcome.currency if outcome else "")
    if wanted := request.GET.get("csv"):
        told = [(line.label, f"foreseen {line.foreseen}: {line.verdict.lower()}", line.actual) for line in foreseen]
        tables = {"funnel": chart.table, "report": funnel.whole(sections, told)}
        if wanted not in tables:
            raise Http404
        return csv_response(tables[wanted], f"{slugify(campaign.name) or 'campaign'}-{wanted}")
    context = {
        "title": f"Report: {campaign}",
        **standing.context(campaign),
        "progress": selectors.progress(campaign),
        "report": report,
        "outcome": outcome,
        "tiles": _tiles(request, campaign, report),
        "chart": chart,
        "has_figures": bool(chart.table.rows),
        "sections": sections,
        "foreseen": foreseen,
        "record": selectors.track_record(before=campaign),
        "arms": effects.arms_of(campaign),
        "caused": effects.caused_by(campaign),
        "heatmap": clicks.heatmap_of(campaign),
    }
    response = render(request, "dashboards/campaign.html", context)
    response._csp_update["img-src"] = PICTURES  # type: ignore[attr-defined]
    return response


@page("campaigns")
def people_csv(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """Everybody in the campaign with what they did, block by block."""
    campaign = _campaign(pk)
    response = StreamingHttpResponse(_people(tenancy.required(), campaign), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{slugify(campaign.name) or "campaign"}-people.csv"'
    return response


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def _people(organization_id: int, campaign: Campaign) -> Iterator[str]:
    writer = csv.writer(_Echo())
    # The byte order mark lets Excel read UTF-8. The stream outlives the request, so it says for whom it works.
    yield "\ufeff"
    yield writer.writerow(selectors.PEOPLE_HEADER)
    with tenancy.organization(organization_id):
        for line in selectors.people_lines(campaign):
            yield writer.writerow([safe(value) for value in line])


def _campaign(pk: int) -> Campaign:
    campaign = Campaign.objects.filter(pk=pk).first()
    if campaign is None:
        raise Http404
    return campaign


def _tiles(request: HttpRequest, campaign: Campaign, report: Report) -> list[Tile]:
    tiles = [Tile("Addressed", Reading(f"{report.target_count:,}", "people", lines.people(campaign)))]
    if lines.sends(campaign, report):
        tiles += _sending(campaign, report)
    if campaign.offers.exists():
        link = lines.people(campaign, did="converted")
        tiles.append(Tile("Offer taken", _rate(report.conversion_rate, report.conversion_count, link)))
    return tiles + (_money(campaign) if allowed(request.user, "attribution") else [])


def _sending(campaign: Campaign, report: Report) -> list[Tile]:
    opened = Tile("Opened", _rate(report.open_rate, report.open_count, lines.people(campaign, did="opened")))
    return [
        Tile("Sent", Reading(f"{report.sent_count:,}", "messages", lines.people(campaign, did="sent"))),
        *([opened] if lines.tells_opens(campaign) else []),
        Tile("Clicked", _rate(report.click_rate, report.click_count, lines.people(campaign, did="clicked"))),
    ]


def _rate(rate: float | None, count: int, link: str) -> Reading:
    return Reading(figures.share(rate).shown, f"{count:,} people", link)


def _money(campaign: Campaign) -> list[Tile]:
    """Credited revenue, cost and return over the campaign's whole life."""
    report = _returns(campaign)
    mine = report.campaigns[0] if report.campaigns else None
    if mine is None:
        return []
    verdict, _ = TIERS[mine.tier]
    revenue, cost = (figures.headline(each, report.currency) for each in (mine.revenue_minor, mine.cost_minor))
    return [
        Tile("Revenue", Reading(revenue, _orders(mine), _link(mine, "revenue"))),
        Tile("Cost", Reading(cost, "so far", _link(mine, "cost"))),
        Tile("Return", Reading(figures.times(mine.roas).shown, verdict)),
    ]


def _returns(campaign: Campaign) -> CampaignReport:
    now = clock.now()
    period = Period(max(campaign.created_at, now - LONGEST + timedelta(days=1)), now + timedelta(seconds=1))
    return attribution.campaign_roi(period, campaign_id=campaign.pk)


def _orders(mine: CampaignReturn) -> str:
    return f"credited, {figures.count(mine.conversions).shown} orders"


def _link(mine: CampaignReturn, name: str) -> str:
    return mine.rows[name].admin
