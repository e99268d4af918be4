"""The charts of the segment pages: Plotly dicts with their words and tables."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor, log10
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from common import charts, figures
from common.charts import Cell, Chart, Column, Table
from segments.insight.composition import Composition, Part
from segments.insight.growth import Day, Growth
from segments.insight.overlap import Cell as Combination
from segments.insight.overlap import Overlap
from segments.models import Segment
from segments.pages.shell import address
from segments.rules.catalogue import CUSTOM

MOST_DRAWN = 15
SEEN = 0.005  # half a point: less is drawn as nothing
GREY = "rgba(140,140,140,0.28)"


def size(segment: Segment, grown: Growth) -> Chart:
    """Size at the end of each day."""
    first, last = grown.days[0], grown.days[-1]
    change = last.size - first.size + first.entered - first.left
    word = "grew by" if change > 0 else "shrank by" if change < 0 else "stayed at"
    amount = abs(change) if change else last.size
    summary = (
        f"{last.size:,} contacts now. Since {first.day:%-d %b %Y} {grown.entered:,} entered and {grown.left:,} left: "
        f"it {word} {amount:,}."
    )
    days = [day.day.isoformat() for day in grown.days]
    drawn = charts.lines(days, {"Contacts": [day.size for day in grown.days]})
    # One day is a point, not a curve: its table says it.
    return Chart("size", "Size", summary, _days(segment, grown.days), drawn if len(days) > 1 else {})


def moved(segment: Segment, grown: Growth) -> Chart:
    """Entered above the line, left below it."""
    busiest = max(grown.days, key=lambda day: day.entered + day.left)
    most = f"Most on {busiest.day:%-d %b %Y}: {busiest.entered:,} entered, {busiest.left:,} left."
    summary = most if busiest.entered + busiest.left else "Nobody entered or left in these days."
    days = [day.day.isoformat() for day in grown.days]
    drawn = charts.bars(
        days, {"Entered": [day.entered for day in grown.days], "Left": [-day.left for day in grown.days]}
    )
    drawn["layout"] |= {"barmode": "relative", "bargap": 0.15}
    drawn["layout"]["xaxis"] = {"type": "date", "tickformat": "%-d %b\n%Y", "nticks": 7, "fixedrange": True}
    return Chart("movements", "Entered and left", summary, _days(segment, grown.days), drawn)


def _days(segment: Segment, days: Sequence[Day]) -> Table:
    columns = [Column("Day"), *(Column(title, "number") for title in ("Entered", "Left", "Size"))]
    rows = [
        [
            Cell(f"{day.day:%-d %b %Y}", day.day.isoformat()),
            figures.count(day.entered, _log(segment, day, "entered", day.entered)),
            figures.count(day.left, _log(segment, day, "left", day.left)),
            figures.count(day.size),
        ]
        for day in reversed(days)
    ]
    return Table(columns, rows)


def _log(segment: Segment, day: Day, change: str, count: int) -> str:
    on = day.day.isoformat()
    return address(segment, "log", change=change, since=on, until=on) if count else ""


# --- composition -----------------------------------------------------------------------------------


def made_of(segment: Segment, found: Composition, *, is_drawn: bool) -> Chart:
    """One field: shares among the members beside those among everybody."""
    named = [(part, part.value or "not set") for part in found.parts]
    columns = [
        Column(found.label.capitalize()),
        *(Column(title, "number") for title in ("Members", "Share", "Everybody", "Share of everybody", "Difference")),
    ]
    rows = [
        [
            Cell(name),
            _about(part.inside, part.inside_error, part.inside_share, _members(segment, found.field, part)),
            _share(part.inside_share, part.inside_error),
            _about(part.everybody, part.everybody_error, part.everybody_share, _everybody(found.field, part)),
            _share(part.everybody_share, part.everybody_error),
            _points(part),
        ]
        for part, name in named
    ]
    labels = [figures.short(name) for _, name in named]
    series = {
        "Members": [round(part.inside_share * 100, 2) for part in found.parts],
        "Everybody": [round(part.everybody_share * 100, 2) for part in found.parts],
    }
    drawn = charts.bars(labels, series, sideways=True) if is_drawn and difference(found) >= SEEN else {}
    if drawn:
        drawn["layout"]["xaxis"] |= {"ticksuffix": " %", "tickformat": ",.0f"}
    name = found.field.replace("attributes.", "attribute-")
    return Chart(f"made-of-{name}", found.label.capitalize(), _strangest(found), Table(columns, rows), drawn)


def difference(found: Composition) -> float:
    """How far the members are from everybody, at most; of a sample: how far they are for sure."""
    return max(max(0.0, abs(part.difference) - part.difference_error) for part in found.parts)


def _about(count: int, error: float, share: float, link: str) -> Cell:
    """A number with no more digits than its error leaves meaning in."""
    if not error:
        return figures.count(count, link)
    whole = count / share if share else 0.0
    step = 10 ** max(0, floor(log10(max(1.0, error * whole))))
    return Cell(f"≈ {round(count / step) * step:,}", count, link)


def _share(share: float, error: float) -> Cell:
    told = figures.share(share)
    return Cell(f"{told.shown} ± {error * 100:.1f}", told.plain) if error else told


def _points(part: Part) -> Cell:
    words = f"{part.difference * 100:+.1f}".replace("-", "−")
    error = f" ± {part.difference_error * 100:.1f}" if part.difference_error else ""
    return Cell(f"{words}{error} points", round(part.difference, 6))


def _strangest(found: Composition) -> str:
    part = max(found.parts, key=lambda part: abs(part.difference) - part.difference_error)
    if abs(part.difference) < max(SEEN, part.difference_error):
        return "As among everybody." if found.is_exact else "As among everybody, as far as the sample can tell."
    name = f"“{part.value}”" if part.value else "not set"
    word = "more" if part.difference > 0 else "less"
    return (
        f"{name} is {word} frequent here: {part.inside_share:.0%} of the members, {part.everybody_share:.0%} of all."
    )


def _members(segment: Segment, field: str, part: Part) -> str:
    # An empty value is one too: "not set".
    query = urlencode({"field": field, "value": part.value})
    return f"{address(segment, 'members')}?{query}" if part.inside else ""


def _everybody(field: str, part: Part) -> str:
    """The list of contacts with this value; none for an attribute that is not text or not set."""
    if field.startswith(CUSTOM) and part.value in ("", "true", "false"):
        return ""
    query = urlencode({f"{field.replace('.', '__', 1)}__exact": part.value})
    return f"{reverse('admin:audience_contact_changelist')}?{query}"


# --- overlap ---------------------------------------------------------------------------------------


def upset(segment: Segment, found: Overlap, link: str) -> Chart:
    """An UpSet plot (Lex et al. 2014): a column per combination, a row per segment; `link` ends before the cell."""
    columns = [Column("In exactly these"), Column("Contacts", "number"), Column("Share", "number")]
    rows = [
        [
            Cell(" + ".join(str(row) for row in cell.segments)),
            _part_of(cell, f"{link}&cell={cell.mask}"),
            figures.share(cell.count / found.contact_count),
        ]
        for cell in found.cells
    ]
    empty = "Nobody is in any of these segments yet."
    drawn = _upset(found) if found.cells else {}
    return Chart("overlap", "Overlap", _overlap_words(segment, found), Table(columns, rows), drawn, empty)


def _part_of(cell: Combination, link: str) -> Cell:
    return (
        Cell(f"≈ {cell.count:,} ± {cell.error:,}", cell.count, link)
        if cell.error
        else figures.count(cell.count, link)
    )


def _overlap_words(segment: Segment, found: Overlap) -> str:
    own = found.size(0)
    about = "" if found.is_exact else "about "
    parts = [f"{about.capitalize()}{found.contact_count:,} contacts are in at least one of them."]
    for place, other in enumerate(found.segments[1:], start=1):
        shared = found.shared(0, place)
        share = (
            f"{about.capitalize()}{shared:,} of “{segment}” ({shared / own:.0%})"
            if shared
            else f"Nobody of “{segment}”"
        )
        parts.append(f"{share} {'is' if shared < 2 else 'are'} also in “{other}”.")
    return " ".join(parts)


def _upset(found: Overlap) -> dict[str, Any]:
    cells = found.cells[:MOST_DRAWN]
    names = [f"{figures.short(str(row), 20)} ({found.size(place):,})" for place, row in enumerate(found.segments)]
    columns = list(range(len(cells)))
    counts = [cell.count for cell in cells]
    every_x = [column for column in columns for _ in names]
    every_y = names * len(columns)
    x, y = _dots(cells, names)
    dots = {"type": "scatter", "xaxis": "x", "yaxis": "y2", "hoverinfo": "skip", "showlegend": False}
    data = [
        {
            "type": "bar", "x": columns, "y": counts, "text": [f"{count:,}" for count in counts],
            "textposition": "outside", "cliponaxis": False, "marker": {"color": charts.COLOURS[0]},
            "customdata": [", ".join(str(row) for row in cell.segments) for cell in cells],
            "hovertemplate": "%{customdata}<br>%{y:,} contacts<extra></extra>",
        },
        {**dots, "mode": "markers", "x": every_x, "y": every_y, "marker": {"size": 11, "color": GREY}},
        {
            **dots, "mode": "lines+markers", "x": x, "y": y, "connectgaps": False,
            "marker": {"size": 12, "color": charts.COLOURS[0]}, "line": {"width": 3, "color": charts.COLOURS[0]},
        },
    ]  # fmt: skip
    layout = {
        "template": "none", "showlegend": False, "hovermode": "closest", "height": 300 + 30 * len(names),
        "margin": {"l": 12, "r": 12, "t": 28, "b": 12}, "bargap": 0.35,
        "xaxis": {
            "visible": False, "fixedrange": True, "anchor": "y2", "range": [-0.6, max(len(cells), 4) - 0.4],
        },
        "yaxis": {"domain": [0.42, 1], "automargin": True, "fixedrange": True, "tickformat": ",.3~s",
                  "rangemode": "tozero"},
        "yaxis2": {"domain": [0, 0.38], "type": "category", "categoryarray": names[::-1], "automargin": True,
                   "fixedrange": True, "showgrid": False},
    }  # fmt: skip
    return {"data": data, "layout": layout}


def _dots(cells: Sequence[Combination], names: Sequence[str]) -> tuple[list[int | None], list[str | None]]:
    """The filled dots of each column joined by a line; a gap between columns."""
    x: list[int | None] = []
    y: list[str | None] = []
    for column, cell in enumerate(cells):
        for place, name in enumerate(names):
            if cell.mask & 1 << place:
                x.append(column)
                y.append(name)
        x.append(None)
        y.append(None)
    return x, y
