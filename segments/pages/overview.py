"""The first page of a segment: what it is, how many, how it grew."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse

from common.charts import Chart
from common.export import csv_response
from segments import rules, selectors
from segments.insight import growth
from segments.models import Segment
from segments.pages import figures, shell

SPANS = {"30": "30 days", "90": "90 days", "365": "12 months"}


class Span:
    """The chosen number of days, as templates/charts/chart.html asks for it."""

    def __init__(self, text: str) -> None:
        self.days = int(text) if text in SPANS else growth.DEFAULT_DAYS

    @property
    def query(self) -> str:
        return f"days={self.days}"


def overview(request: HttpRequest, segment: Segment) -> HttpResponse:
    """Counts, growth by day and some of the members; `?csv=` is the table of a chart."""
    period = Span(request.GET.get("days", ""))
    grown = growth.growth(segment, period.days)
    drawn = _charts(segment, grown)
    if wanted := request.GET.get("csv"):
        chart = next((chart for chart in drawn if chart.name == wanted), None)
        if chart is None:
            raise Http404
        return csv_response(chart.table, f"{segment.slug}-{chart.name}")
    members = selectors.memberships(segment)[: selectors.PREVIEW_SAMPLE]
    context = {
        "badge": shell.badge(segment),
        "sentence": rules.describe(segment.rule) if segment.rule else "",
        "sample": [membership.contact for membership in members],
        "charts": drawn,
        "period": period,
        "spans": SPANS,
        "zone": grown.zone,
    }
    return shell.render(request, segment, "overview", context | _moved(segment, grown))


def _charts(segment: Segment, grown: growth.Growth) -> list[Chart]:
    """None before the first person came; one day is no growth yet."""
    if not any(day.size or day.entered or day.left for day in grown.days):
        return []
    drawn = [figures.size(segment, grown)]
    return drawn if len(grown.days) == 1 else [*drawn, figures.moved(segment, grown)]


def _moved(segment: Segment, grown: growth.Growth) -> dict[str, Any]:
    """Counts of the days shown, with the rows behind them."""
    since = grown.days[0].day
    return {
        "since": since,
        "entered": grown.entered,
        "left": grown.left,
        "entered_link": shell.address(segment, "log", change="entered", since=since),
        "left_link": shell.address(segment, "log", change="left", since=since),
    }
