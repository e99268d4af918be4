"""Charts as plain Plotly dicts: built here, drawn by static/charts.js from the committed bundle.

Every chart carries its own words (`summary`) and its own table, which is also its CSV: a picture is never the
only way to a number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

# What tools/plotly_bundle.js registers. A trace of another type would silently be drawn as a line.
TRACES_IN_BUNDLE = {"scatter", "bar", "heatmap", "histogram", "pie", "funnel", "sankey", "indicator"}
# Told apart by people who see red and green alike (Okabe & Ito 2008), dark enough for both grounds.
COLOURS = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#7a6bb5", "#8c8c8c"]


@dataclass(frozen=True)
class Column:
    """One column of a table: `kind` is text or number."""

    title: str
    kind: str = "text"


@dataclass(frozen=True)
class Cell:
    """A value as people read it, the plain value for CSV, and the list behind it."""

    shown: str
    plain: object = None
    link: str = ""
    level: str = ""  # good, warning, critical: drawn as a badge

    @property
    def value(self) -> object:
        return self.shown if self.plain is None else self.plain


@dataclass(frozen=True)
class Table:
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]

    def lines(self) -> list[list[tuple[Column, Cell]]]:
        """Cells with their columns, for templates."""
        return [list(zip(self.columns, row, strict=True)) for row in self.rows]


@dataclass(frozen=True)
class Chart:
    """`name` is its place in addresses; without a figure only words and table are shown."""

    name: str
    title: str
    summary: str
    table: Table
    figure: dict[str, Any] = field(default_factory=dict)
    empty: str = ""  # what to do next, when there is nothing to draw

    @property
    def element(self) -> str:
        return f"figure-{self.name}"


FEW = 8


def _layout(**extra: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "template": "none",
        "colorway": COLOURS,
        "margin": {"l": 48, "r": 12, "t": 36, "b": 40},
        "height": 340,
        "hovermode": "closest",
        "legend": {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"},
        "xaxis": {"automargin": True, "fixedrange": True},
        "yaxis": {"automargin": True, "fixedrange": True, "rangemode": "tozero"},
    }
    return plain | extra


def bars(
    labels: Sequence[str], series: Mapping[str, Sequence[float]], *, unit: str = "", sideways: bool = False
) -> dict[str, Any]:
    """Grouped bars: one group per label, one colour per series."""
    value, place = ("x", "y") if sideways else ("y", "x")
    traces = []
    for name, values in series.items():
        trace: dict[str, Any] = {"type": "bar", "name": name, value: list(values), place: list(labels)}
        trace["hovertemplate"] = f"%{{{place}}}<br>{name}: {unit}%{{{value}:,.2~f}}<extra></extra>"
        traces.append(trace | ({"orientation": "h"} if sideways else {}))
    layout = _layout(barmode="group", showlegend=len(series) > 1)
    axis: dict[str, Any] = {"tickprefix": unit, "tickformat": ",.3~s", "automargin": True, "fixedrange": True}
    if max((abs(number) for values in series.values() for number in values), default=0) in range(1, FEW):
        axis["dtick"] = 1  # of a few people there is no half
    layout[f"{value}axis"] = axis
    layout[f"{place}axis"] = {"type": "category", "automargin": True, "fixedrange": True}
    if sideways:
        layout["yaxis"]["autorange"] = "reversed"
        layout["height"] = 100 + len(labels) * (18 + 14 * len(series))
    return {"data": traces, "layout": layout}


def lines(days: Sequence[str], series: Mapping[str, Sequence[float]], *, unit: str = "") -> dict[str, Any]:
    """Values by day (ISO dates). A series called Target is a dashed line without points."""
    traces = [
        {
            "type": "scatter",
            "mode": "lines" if name == "Target" else "lines+markers",
            "name": name,
            "x": list(days),
            "y": list(values),
            "line": {"width": 2, "dash": "dash"} if name == "Target" else {"width": 2.5},
            "marker": {"size": 5},
            "hovertemplate": f"%{{x|%-d %b %Y}}<br>{name}: {unit}%{{y:,.2~f}}<extra></extra>",
        }
        for name, values in series.items()
    ]
    layout = _layout(showlegend=len(series) > 1)
    layout["xaxis"] |= {"type": "date", "tickformat": "%-d %b\n%Y", "nticks": 7}
    layout["yaxis"] |= {"tickprefix": unit, "tickformat": ",.2~f"}
    return {"data": traces, "layout": layout}


def funnel(steps: Sequence[str], counts: Sequence[int]) -> dict[str, Any]:
    """How many are left after each step."""
    trace = {
        "type": "funnel",
        "y": list(steps),
        "x": list(counts),
        "textinfo": "value+percent initial",
        "textfont": {"size": 13, "color": "#ffffff"},
        "marker": {"color": COLOURS[0]},
        "connector": {"fillcolor": "rgba(0,114,178,0.22)", "line": {"width": 0}},
    }
    return {"data": [trace], "layout": _layout(showlegend=False, hovermode=False)}


def traces_of(figure: dict[str, Any]) -> set[str]:
    return {trace["type"] for trace in figure.get("data", [])}


# --- sparklines ------------------------------------------------------------------------------------

WIDTH, HEIGHT, EDGE = 96, 28, 3


def sparkline(values: Sequence[float]) -> str:
    """The points of an SVG polyline in a WIDTH × HEIGHT box; "" when there is nothing to compare."""
    if len(values) < 2:
        return ""
    low, high = min(values), max(values)
    spread = (high - low) or 1
    step = (WIDTH - 2 * EDGE) / (len(values) - 1)
    points = []
    for index, value in enumerate(values):
        x = EDGE + index * step
        y = HEIGHT - EDGE - (value - low) / spread * (HEIGHT - 2 * EDGE)
        points.append(f"{x:.1f},{y:.1f}")
    return " ".join(points)
