"""What each campaign earned for what it cost (ATT-3)."""

from __future__ import annotations

from accounts.models import Organization
from attribution import selectors as attribution
from attribution.domain.returns import Tier
from attribution.selectors import CampaignReport, CampaignReturn
from common import charts, figures, money
from common.charts import Cell, Chart, Column, Table
from dashboards.boards.base import Board, Filled, Tile
from dashboards.boards.notes import of_totals
from dashboards.cards.base import Reading
from dashboards.links import row
from dashboards.periods import Picked

DRAWN = 12
TIERS = {
    Tier.EXCELLENT: ("Excellent", "good"),
    Tier.GOOD: ("Good", "good"),
    Tier.PROFITABLE: ("Profitable", ""),
    Tier.NEEDS_OPTIMISATION: ("Needs optimisation", "warning"),
    Tier.NO_COST: ("No cost known", ""),
}
COLUMNS = [
    Column("Campaign"),
    Column("Verdict"),
    *(
        Column(title, "number")
        for title in ("Revenue", "Cost", "ROI", "ROAS", "Sent", "Opened", "Clicked", "Orders", "Per new customer")
    ),
]


def fill(place: Organization, period: Picked) -> Filled:
    report = attribution.campaign_roi(period.span)
    return Filled(_tiles(report), [_chart(report)], of_totals(report.totals))


def _tiles(report: CampaignReport) -> list[Tile]:
    total, currency = report.total, report.currency
    return [
        Tile("Revenue", Reading(figures.headline(total.revenue_minor, currency), "credited, linear model")),
        Tile("Cost", Reading(figures.headline(total.cost_minor, currency), "of these campaigns")),
        Tile("Return", Reading(figures.percent(total.roi_percent).shown, "(revenue − cost) ÷ cost")),
        Tile("Sent", Reading(f"{total.sends:,}", "messages")),
        Tile("Opened", Reading(figures.share(total.open_rate).shown, "of messages sent")),
        Tile("Clicked", Reading(figures.share(total.click_rate).shown, "of messages sent")),
    ]


def _chart(report: CampaignReport) -> Chart:
    drawn, currency = report.campaigns[:DRAWN], report.currency
    labels = [figures.short(item.name) for item in drawn]
    series = {
        "Revenue": [figures.major(item.revenue_minor, currency) for item in drawn],
        "Cost": [figures.major(item.cost_minor, currency) for item in drawn],
    }
    figure = charts.bars(labels, series, unit=figures.symbol(currency), sideways=True)
    table = Table(COLUMNS, [_line(item, currency) for item in report.campaigns])
    return Chart(
        "campaigns",
        "Revenue and cost by campaign",
        _summary(report),
        table,
        figure,
        "No campaign sent, earned or cost anything in this period. Launch one, or choose a longer period.",
    )


def _summary(report: CampaignReport) -> str:
    if not report.campaigns:
        return ""
    best = report.campaigns[0]
    earning = sum(item.revenue_minor > item.cost_minor for item in report.campaigns)
    text = f"{best.name} earned most: {money.show(best.revenue_minor, report.currency)}."
    return f"{text} {earning} of {len(report.campaigns)} campaigns earned more than they cost."


def _line(item: CampaignReturn, currency: str) -> list[Cell]:
    verdict, level = TIERS[item.tier]
    links = {name: rows.admin for name, rows in item.rows.items()}
    return [
        Cell(item.name, link=row("campaigns.campaign", item.campaign_id)),
        Cell(verdict, level=level),
        figures.amount(item.revenue_minor, currency, links.get("revenue", "")),
        figures.amount(item.cost_minor, currency, links.get("cost", "")),
        figures.percent(item.roi_percent),
        figures.times(item.roas),
        figures.count(item.sends, links.get("sends", "")),
        figures.share(item.open_rate),
        figures.share(item.click_rate),
        figures.count(item.conversions, links.get("conversions", "")),
        figures.amount(item.cac_minor, currency),
    ]


BOARD = Board("campaigns", "Campaign ROI", "What did each campaign earn for what it cost?", "attribution", fill)
