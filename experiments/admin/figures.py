"""A read-out as tables and a chart; every number leads to its people."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from common import charts
from common.charts import Cell, Chart, Column, Table
from experiments.domain.metrics import Role
from experiments.domain.read_outs import Compared, MetricReadOut
from experiments.models import Allocation, Problem
from experiments.selectors import ReadOut, lift_over_time, words

ROLES = {Role.PRIMARY: "Decides", Role.SECONDARY: "Explains", Role.GUARDRAIL: "Guardrail"}
BAND = "rgba(0,114,178,0.18)"


def context(made: ReadOut) -> dict[str, Any]:
    """What the read-out page shows below the verdict."""
    chart = _lift_chart(made)
    return {
        "metrics": [_metric(made, one) for one in made.metrics],
        "people_table": _people(made),
        "problems": _problems(made),
        "chart": chart,
        "has_figures": chart is not None and bool(chart.figure),
        "allotments": _allotments(made),
    }


def people_address(made: ReadOut, place: int | None = None, **words: str) -> str:
    """The list of the people of the experiment, or of one arm."""
    asked = {"experiment__id__exact": str(made.experiment.pk), **words}
    if place is not None:
        asked["arm__id__exact"] = str(made.arms[place].pk)
    return f"{reverse('admin:experiments_assignment_changelist')}?{urlencode(asked)}"


def _people(made: ReadOut) -> Table:
    expected = made.balance.expected if made.balance else [0.0] * len(made.arms)
    rows = [
        [
            Cell(arm.name + (" (control)" if place == made.control else "")),
            Cell(f"{count:,}", count, people_address(made, place, exposed_at__isnull="False")),
            Cell(f"{wanted:,.0f}", wanted),
            Cell(f"{count / sum(made.people):.1%}" if sum(made.people) else "–"),
        ]
        for place, (arm, count, wanted) in enumerate(zip(made.arms, made.people, expected, strict=True))
    ]
    return Table(
        [Column("Arm"), Column("People", "number"), Column("Expected", "number"), Column("Share", "number")], rows
    )


def _problems(made: ReadOut) -> list[dict[str, str]]:
    labels = dict(Problem.choices)
    return [
        {"label": str(labels[name]), "count": f"{count:,}", "link": people_address(made, problem__exact=name)}
        for name, count in made.problems.items()
    ]


def _metric(made: ReadOut, one: MetricReadOut) -> dict[str, Any]:
    primary = made.primary is one
    sentences = [words.sentence(made, one, other) for other in one.compared]
    return {
        "name": one.metric.name,
        "role": "Decides" if primary else ROLES[one.metric.role],
        "sentences": sentences,
        "table": _table(made, one),
        "note": _note(one),
        "is_empty": one.is_empty,
    }


def _note(one: MetricReadOut) -> str:
    metric = one.metric
    days = f"Counted for {metric.window_days} days after the first meeting."
    if one.variance_reduction > 0.005:
        days += f" What people did before takes away {one.variance_reduction:.0%} of the chance in it (CUPED)."
    if metric.cap is not None:
        days += " Nobody counts for more than the cap."
    return days


def _table(made: ReadOut, one: MetricReadOut) -> Table:
    columns = [
        Column("Arm"), Column("People", "number"), Column("Value", "number"), Column("Lift", "number"),
        Column("At any time", "number"), Column("At the end", "number"), Column("p, adjusted", "number"),
        Column("Best with", "number"), Column("Lost if not", "number"),
    ]  # fmt: skip
    return Table(columns, [_row(made, one, place) for place in range(len(one.arms))])


def _row(made: ReadOut, one: MetricReadOut, place: int) -> list[Cell]:
    figure, other = one.arms[place], one.against(place)
    value = words.amount(one.metric, figure.value, made.currency)
    return [
        Cell(made.arms[place].name),
        Cell(f"{figure.n:,}", figure.n, people_address(made, place, exposed_at__isnull="False")),
        Cell(value, figure.value),
        *(_compared(made, one, other) if other else [Cell("control"), Cell("–"), Cell("–"), Cell("–")]),
        Cell(f"{figure.to_be_best:.1%}", figure.to_be_best),
        Cell(words.amount(one.metric, figure.expected_loss, made.currency), figure.expected_loss),
    ]


def _compared(made: ReadOut, one: MetricReadOut, other: Compared) -> list[Cell]:
    lift = other.lift_at_any_time
    level = ""
    if other.is_shown:
        level = "good" if other.at_any_time.value * one.metric.sign > 0 else "critical"
    if lift is None or other.lift is None:
        change, fixed = other.at_any_time, other.fixed
        low, high = (words.amount(one.metric, value, made.currency) for value in (change.low, change.high))
        ends = [words.amount(one.metric, value, made.currency) for value in (fixed.low, fixed.high)]
        shown = words.amount(one.metric, change.value, made.currency)
        return [Cell(shown, level=level), Cell(f"{low} to {high}"), Cell(f"{ends[0]} to {ends[1]}"), _p(other)]
    return [
        Cell(f"{lift.value:+.1%}", lift.value, level=level),
        Cell(f"{lift.low:+.1%} to {lift.high:+.1%}"),
        Cell(f"{other.lift.low:+.1%} to {other.lift.high:+.1%}"),
        _p(other),
    ]


def _p(other: Compared) -> Cell:
    shown = "< 0.001" if other.adjusted_p < 0.001 else f"{other.adjusted_p:.3f}"
    return Cell(shown, other.adjusted_p)


def _lift_chart(made: ReadOut) -> Chart | None:
    """The lift of the likeliest best treatment by day, with the band that holds over all days together."""
    primary = made.primary
    if primary is None or primary.is_empty or not primary.compared:
        return None
    place = max((other.place for other in primary.compared), key=lambda one: primary.arms[one].to_be_best)
    curve = lift_over_time(made, primary.metric, place)
    rows = [
        [
            Cell(f"{day:%-d %b %Y}", day.isoformat()),
            *(Cell(f"{value:+.1%}", value) for value in (one.low, one.value, one.high)),
        ]
        for day, one in curve
    ]
    table = Table([Column("Day"), *(Column(name, "number") for name in ("Low", "Lift", "High"))], rows)
    summary = (
        f"{made.arms[place].name} against {made.arms[made.control].name}, of everybody who came until that day. "
        "The band holds over all days together, so one may look every day."
    )
    figure = _band([day.isoformat() for day, _ in curve], [one for _, one in curve]) if curve else {}
    return Chart(
        "lift", f"{primary.metric.name}: lift over time", summary, table, figure, "There are too few people yet."
    )


def _band(days: list[str], curve: list[Any]) -> dict[str, Any]:
    """A line with a band around it."""
    figure = charts.lines(days, {"Lift": [one.value for one in curve]})
    edge = {
        "type": "scatter",
        "mode": "lines",
        "line": {"width": 0},
        "hoverinfo": "skip",
        "showlegend": False,
        "x": days,
    }
    low = edge | {"y": [one.low for one in curve], "name": "Low"}
    high = edge | {"y": [one.high for one in curve], "name": "High", "fill": "tonexty", "fillcolor": BAND}
    figure["data"] = [low, high, *figure["data"]]
    figure["data"][-1]["hovertemplate"] = "%{x|%-d %b %Y}<br>%{y:+.1%}<extra></extra>"
    figure["layout"]["yaxis"] |= {"tickprefix": "", "tickformat": "+.0%", "rangemode": "normal", "zeroline": True}
    return figure


def _allotments(made: ReadOut) -> Table | None:
    """Of a bandit: when its shares changed, the last changes first."""
    if made.experiment.allocation != Allocation.BANDIT:
        return None
    rows = [
        [
            Cell(f"{row.decided_at:%-d %b %Y, %H:%M} UTC"),
            *(Cell(f"{row.shares.get(arm.key, 0):.1%}") for arm in made.arms),
            Cell(row.reason),
        ]
        for row in made.experiment.allotments.order_by("-epoch")[:50]
    ]
    return Table([Column("Since"), *(Column(arm.name, "number") for arm in made.arms), Column("Why")], rows)
