"""What each workflow did and earned, version by version."""

from __future__ import annotations

from collections import defaultdict

from django.urls import reverse

from accounts.models import Organization
from attribution import selectors as attribution
from automations import selectors as automations
from automations.selectors import Flow
from common import charts, figures, money
from common.charts import Cell, Chart, Column, Table
from dashboards.boards.base import Board, Filled, Tile
from dashboards.boards.notes import of_totals
from dashboards.cards.base import Reading
from dashboards.links import listing
from dashboards.periods import Picked
from delivery.models import SourceType

DRAWN = 12
COLUMNS = [
    Column("Workflow and version"),
    *(
        Column(title, "number")
        for title in ("Entered", "Inside now", "Finished", "Goal", "Conversion", "Failed now", "Orders", "Revenue")
    ),
]
Money = dict[int, tuple[float, int]]


def fill(place: Organization, period: Picked) -> Filled:
    totals = attribution.totals(period.span)
    earned = _earned(period)
    rows = automations.flows_within(period.first_day, period.last_day, list(earned))
    return Filled(_tiles(rows, earned, totals.currency), [_chart(rows, earned, totals.currency)], of_totals(totals))


def _earned(period: Picked) -> Money:
    """Version id → orders and revenue credited to its messages."""
    credited = attribution.earned_by_messages(SourceType.AUTOMATION, period.span)
    versions = automations.versions_of({one.key for one in credited})
    found: Money = defaultdict(lambda: (0.0, 0))
    for one in credited:
        if one.key in versions:
            orders, revenue = found[versions[one.key]]
            found[versions[one.key]] = orders + one.conversions, revenue + one.revenue_minor
    return dict(found)


def _tiles(rows: list[Flow], earned: Money, currency: str) -> list[Tile]:
    revenue = sum(minor for _, minor in earned.values())
    failed = sum(row.failed for row in rows)
    return [
        Tile("Revenue", Reading(figures.headline(revenue, currency), "credited to their messages, linear model")),
        Tile("Entered", Reading(f"{sum(row.entered for row in rows):,}", "people")),
        Tile("Reached the goal", Reading(f"{sum(row.goal for row in rows):,}", "people")),
        Tile("Failed", Reading(f"{failed:,}", "people, now", link=reverse("automation-troubles"))),
    ]


def _chart(rows: list[Flow], earned: Money, currency: str) -> Chart:
    ranked = sorted(rows, key=lambda row: (-earned.get(row.version_id, (0, 0))[1], -row.entered))
    drawn = ranked[:DRAWN]
    labels = [f"{figures.short(row.name)} v{row.number}" for row in drawn]
    series = {"Entered": [row.entered for row in drawn], "Finished": [row.finished for row in drawn]}
    table = Table(COLUMNS, [_line(row, earned.get(row.version_id, (0.0, 0)), currency) for row in ranked])
    return Chart(
        "workflows",
        "Workflows, version by version",
        _summary(ranked, earned, currency),
        table,
        charts.bars(labels, series, sideways=True) if drawn else {},
        "Nobody entered a workflow in this period. Switch one on, or choose a longer period.",
    )


def _summary(ranked: list[Flow], earned: Money, currency: str) -> str:
    if not ranked:
        return ""
    best = ranked[0]
    revenue = earned.get(best.version_id, (0.0, 0))[1]
    if not revenue:
        had = "1 version" if len(ranked) == 1 else f"{len(ranked)} versions"
        return f"{had} had people; no order is credited to their messages in this period."
    return f"{best.name}, version {best.number}, earned most: {money.show(revenue, currency)}."


def _line(row: Flow, earned: tuple[float, int], currency: str) -> list[Cell]:
    orders, revenue = earned
    people = {"automation__id__exact": row.automation_id, "version__id__exact": row.version_id}
    runs = "automations.automationrun"
    return [
        Cell(f"{row.name} v{row.number}", link=reverse("automation-versions", args=[row.automation_id])),
        figures.count(row.entered, listing(runs, **people)),
        figures.count(row.inside, listing(runs, **people, status__in="running,held,failed")),
        figures.count(row.finished, listing(runs, **people, status__in="completed,exited")),
        figures.count(row.goal, listing(runs, **people, exit_reason__exact="goal")),
        figures.share(row.goal / row.entered if row.entered and row.goal else None),
        figures.count(row.failed, listing(runs, **people, status__in="failed")),
        Cell(f"{orders:,.1f}".removesuffix(".0"), round(orders, 4)),
        figures.amount(revenue, currency),
    ]


BOARD = Board("workflows", "Workflows", "What did each workflow do, and what did it earn?", "attribution", fill)
