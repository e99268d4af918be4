"""The attribution models side by side: who is credited depends on how one counts (ATT-2)."""

from __future__ import annotations

from collections.abc import Sequence

from accounts.models import Organization
from attribution import selectors as attribution
from attribution.domain.models import attribution_models
from attribution.selectors import Comparison, Line
from common import charts, figures
from common.charts import Cell, Chart, Column, Table
from dashboards.boards.base import Board, Filled, Tile
from dashboards.boards.notes import of_totals
from dashboards.cards.base import Reading
from dashboards.periods import Picked

DRAWN = 8


def fill(place: Organization, period: Picked) -> Filled:
    found = attribution.revenue_by_model(period.span)
    drawn = [
        _chart(
            "channels",
            "Revenue by channel",
            "Channel",
            found,
            found.channels,
            [line.channel_label for line in found.channels],
        ),
        _chart(
            "campaigns", "Revenue by campaign", "Campaign", found, found.lines, [_name(line) for line in found.lines]
        ),
        _explained(),
    ]
    return Filled(_tiles(found), drawn, of_totals(found.totals))


def _name(line: Line) -> str:
    return f"{line.campaign_name} · {line.channel_label}" if line.campaign_name else line.channel_label


def _tiles(found: Comparison) -> list[Tile]:
    totals, currency = found.totals, found.currency
    nobody = f"{totals.unattributed_conversions:,} orders without a touchpoint before them"
    return [
        Tile("Revenue", Reading(figures.headline(totals.revenue_minor, currency), "after refunds")),
        Tile("Orders", Reading(f"{totals.conversions:,}", "that count as revenue")),
        Tile(
            "Credited to nobody",
            Reading(figures.headline(totals.unattributed_minor, currency), nobody, found.unattributed.admin),
        ),
        Tile("Refunded", Reading(figures.headline(totals.refunded_minor, currency), "taken back out")),
    ]


def _chart(
    name: str, title: str, first: str, found: Comparison, lines: Sequence[Line], names: Sequence[str]
) -> Chart:
    currency = found.currency
    labels = {model: attribution_models[model].label for model in found.models}
    series = {
        labels[model]: [figures.major(line.revenue_minor[model], currency) for line in lines[:DRAWN]]
        for model in found.models
    }
    figure = charts.bars(
        [figures.short(label, 24) for label in names[:DRAWN]], series, unit=figures.symbol(currency), sideways=True
    )
    rows = [
        [
            Cell(label),
            *(figures.amount(line.revenue_minor[model], currency, line.rows[model].admin) for model in found.models),
        ]
        for label, line in zip(names, lines, strict=True)
    ]
    table = Table([Column(first), *(Column(labels[model], "number") for model in found.models)], rows)
    empty = "No order was credited in this period. Orders count once a goal names their event."
    return Chart(name, title, _summary(found, lines, names), table, figure, empty)


def _summary(found: Comparison, lines: Sequence[Line], names: Sequence[str]) -> str:
    if not lines:
        return ""
    by_model = [max(range(len(lines)), key=lambda index: lines[index].revenue_minor[model]) for model in found.models]
    if len(set(by_model)) == 1:
        return f"{names[by_model[0]]} comes first however one counts. All models sum to the same revenue."
    first = names[by_model[found.models.index("first")]]
    last = names[by_model[found.models.index("last")]]
    if first == last:
        other = next(names[index] for index in by_model if names[index] != first)
        return (
            f"{first} leads by first and by last touch; counted otherwise, {other} does. All sum to the same revenue."
        )
    return f"By the first touch {first} leads, by the last touch {last}. All models sum to the same revenue."


def _explained() -> Chart:
    rows = [[Cell(model.label), Cell(model.sentence)] for model in attribution_models.values()]
    return Chart(
        "explained",
        "How each model counts",
        "The same orders, divided among what came before them.",
        Table([Column("Model"), Column("Who gets the credit")], rows),
    )


BOARD = Board(
    "attribution",
    "Attribution models compared",
    "Who earned the revenue, depending on how one counts?",
    "attribution",
    fill,
)
