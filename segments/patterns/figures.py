"""The RFM heatmap and the lifts, as Plotly dicts with their words and tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from common import charts, figures, money
from common.charts import Cell, Chart, Column, Table
from segments.models import Finding
from segments.patterns import grid
from segments.patterns.found import percent, times
from segments.patterns.grid import SCORES, Grid

ROW_PIXELS = 28
# A dotted line where a condition makes no difference.
NO_DIFFERENCE = {"type": "line", "x0": 1, "x1": 1, "y0": 0, "y1": 1, "yref": "paper",
                 "line": {"dash": "dot", "width": 1.5, "color": "#8c8c8c"}}  # fmt: skip


def heatmap(squares: Grid, monetary: int | None, link: Callable[[int, int], str]) -> Chart:
    """People by recency (up) and frequency (right); every square and every number leads to its people."""
    cells = {(cell.recency, cell.frequency): cell for cell in grid.squares(squares, monetary)}
    rows = [[cells[(r, f)] for f in SCORES] for r in SCORES]
    figure: dict[str, Any] = {
        "data": [
            {
                "type": "heatmap",
                "x": [f"F{f}" for f in SCORES],
                "y": [f"R{r}" for r in SCORES],
                "z": [[cell.people for cell in row] for row in rows],
                "text": [[f"{cell.people:,}" if cell.people else "" for cell in row] for row in rows],
                "texttemplate": "%{text}",
                "customdata": [[link(cell.recency, cell.frequency) for cell in row] for row in rows],
                "hovertext": [[_words(squares, cell) for cell in row] for row in rows],
                "hovertemplate": "%{hovertext}<extra></extra>",
                "colorscale": [[0, "#eaf4fa"], [0.5, "#56a5cf"], [1, "#0b4f79"]],
                "showscale": False,
                "xgap": 3,
                "ygap": 3,
            }
        ],
        "layout": {
            "template": "none",
            "height": 380,
            "margin": {"l": 44, "r": 8, "t": 8, "b": 44},
            "xaxis": {"title": {"text": "How often"}, "fixedrange": True},
            "yaxis": {"title": {"text": "How lately"}, "fixedrange": True},
        },
    }
    return Chart(
        "rfm", "RFM grid", _summary(squares, list(cells.values()), monetary), _table(squares, rows, link), figure
    )


def _words(squares: Grid, cell: grid.Cell) -> str:
    amount = _amount(cell.money, squares.currency)
    return f"R{cell.recency} F{cell.frequency}: {cell.people:,} people, {amount}<br>" + grid.bounds(
        squares, cell.recency, cell.frequency
    )


def _summary(squares: Grid, cells: Sequence[grid.Cell], monetary: int | None) -> str:
    people, best = sum(cell.people for cell in cells), next(c for c in cells if c.recency == c.frequency == 5)
    whose = "bought in the last year" if monetary is None else f"have money score {monetary}"
    text = f"{people:,} people {whose}; {best.people:,} of them are in the best square, R5 F5"
    total = sum(cell.money for cell in cells)
    return f"{text}, with {percent(best.money / total)} of the money." if total > 0 else f"{text}."


def _table(squares: Grid, rows: Sequence[Sequence[grid.Cell]], link: Callable[[int, int], str]) -> Table:
    columns = [Column("Recency"), *(Column(f"F{f}", "number") for f in SCORES)]
    lines = []
    for row in reversed(rows):
        first = Cell(f"R{row[0].recency}")
        counts = [
            figures.count(cell.people, link(cell.recency, cell.frequency) if cell.people else "") for cell in row
        ]
        lines.append([first, *counts])
    return Table(columns, lines)


def _amount(value: float, currency: str) -> str:
    return money.show(money.to_minor(round(value, 2), currency), currency)


def lifts(findings: Sequence[Finding]) -> Chart:
    """How many times as often the goal is reached, with the 95 % interval, the surest first."""
    figure: dict[str, Any] = {
        "data": [
            {
                "type": "scatter",
                "mode": "markers",
                "x": [item.evidence["lift"] for item in findings],
                "y": [figures.short(item.title) for item in findings],
                "error_x": {
                    "type": "data",
                    "symmetric": False,
                    "array": [item.evidence["high"] - item.evidence["lift"] for item in findings],
                    "arrayminus": [item.evidence["lift"] - item.evidence["low"] for item in findings],
                    "thickness": 2,
                    "color": charts.COLOURS[0],
                },
                "marker": {"size": 9, "color": charts.COLOURS[0]},
                "hovertemplate": "%{y}<br>%{x:.2f} times as often<extra></extra>",
            }
        ],
        "layout": {
            "template": "none",
            "height": 90 + ROW_PIXELS * len(findings),
            "margin": {"l": 20, "r": 12, "t": 8, "b": 44},
            "showlegend": False,
            "hovermode": "closest",
            "xaxis": {"title": {"text": "Times as often"}, "rangemode": "tozero", "fixedrange": True},
            "yaxis": {"type": "category", "automargin": True, "autorange": "reversed", "fixedrange": True},
            "shapes": [NO_DIFFERENCE],
        },
    }  # fmt: skip
    titles = ("Times as often", "From", "To", "People with", "Reached", "People without", "Reached without")
    columns = [Column("Condition"), *(Column(title, "number") for title in titles)]
    best = findings[0]
    summary = (
        f"{len(findings):,} stand out. The surest: {best.title}, {times(best.evidence['lift'])} times as often. "
        "The dotted line is “makes no difference”."
    )
    return Chart("lifts", "What sets them apart", summary, Table(columns, [_lift(item) for item in findings]), figure)


def _lift(item: Finding) -> list[Cell]:
    said = item.evidence
    ratios = [Cell(times(said[name]), said[name]) for name in ("lift", "low", "high")]
    counts = [figures.count(said[name]) for name in ("with", "with_converted", "without", "without_converted")]
    return [Cell(item.title), *ratios, *counts]
