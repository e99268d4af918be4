"""The RFM grid: buyers of the last year by how lately, how often and for how much they bought, in fifths.

Equal values share a score, so that where half of the buyers came once, lower scores are empty (Hughes 1994).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import msgspec

from common.errors import Invalid
from segments.patterns import leaves
from segments.patterns.buyers import BUYERS_NEEDED
from segments.patterns.facts import YEAR, Facts

SCORES = range(1, 6)
FIFTHS = "ARRAY[0.2, 0.4, 0.6, 0.8]"
CUTS_SQL = f"""
SELECT count(*), percentile_cont({FIFTHS}) WITHIN GROUP (ORDER BY extract(epoch FROM %(now)s - last_at) / 86400),
       percentile_disc({FIFTHS}) WITHIN GROUP (ORDER BY year),
       percentile_disc({FIFTHS}) WITHIN GROUP (ORDER BY coalesce(spent_year, 0))
FROM buyer WHERE year > 0"""
CELLS_SQL = """
SELECT r, f, m, count(*), coalesce(sum(spent_year), 0) FROM (
  SELECT spent_year,
         5 - (SELECT count(*) FROM unnest(%(days)s::int[]) cut
              WHERE last_at <= %(now)s - make_interval(days => cut)) AS r,
         1 + (SELECT count(*) FROM unnest(%(counts)s::int[]) cut WHERE year > cut) AS f,
         1 + (SELECT count(*) FROM unnest(%(amounts)s::numeric[]) cut WHERE coalesce(spent_year, 0) > cut) AS m
  FROM buyer WHERE year > 0) scored GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"""


class Grid(msgspec.Struct, frozen=True):
    """Cuts in days, purchases and money, and the cells as (r, f, m, people, money). As it is stored."""

    buyers: int
    days: list[int]
    counts: list[int]
    amounts: list[float]
    cells: list[tuple[int, int, int, int, float]]
    event: str
    money_property: str
    filters: list[dict[str, Any]]
    currency: str


@dataclass(frozen=True)
class Cell:
    """One square of the picture."""

    recency: int
    frequency: int
    people: int
    money: float


def compute(facts: Facts) -> Grid | str:
    """The grid, or why there is none."""
    count, days, counts, amounts = facts.one(CUTS_SQL)
    if count < BUYERS_NEEDED:
        return f"Only {count:,} people bought in the last year; the grid needs {BUYERS_NEEDED}."
    cuts = {
        # Whoever bought exactly so long ago is inside, as with the other two.
        "days": sorted({min(YEAR, math.floor(day) + 1) for day in days}),
        "counts": sorted(set(counts)),
        "amounts": sorted({float(round(amount, 2)) for amount in amounts}),
    }
    cells = [(r, f, m, people, float(money)) for r, f, m, people, money in facts.all(CELLS_SQL, **cuts)]
    said = facts.meaning
    return Grid(count, **cuts, cells=cells, event=said.purchase_event, money_property=said.money_property,
                filters=list(facts.currency.filters), currency=facts.currency.code)  # fmt: skip


def squares(grid: Grid, monetary: int | None = None) -> list[Cell]:
    """The 25 squares of recency by frequency, of all buyers or of those with one money score."""
    found = {(r, f): Cell(r, f, 0, 0.0) for r in SCORES for f in SCORES}
    for r, f, m, people, money in grid.cells:
        if monetary in (None, m):
            cell = found[(r, f)]
            found[(r, f)] = Cell(r, f, cell.people + people, cell.money + money)
    return list(found.values())


def rule(grid: Grid, recency: int, frequency: int, monetary: int | None = None) -> dict[str, Any]:
    """Who stands in a square, as a rule: days and counts are those of the grid. Raises `Invalid`."""
    scores = [recency, frequency] + ([] if monetary is None else [monetary])
    if any(score not in SCORES for score in scores):
        raise Invalid("A score is a whole number from 1 to 5.")
    parts = [*_recency(grid, recency), *_frequency(grid, frequency)]
    if monetary is not None:
        parts += _monetary(grid, monetary)
    return leaves.every(*parts)


def _recency(grid: Grid, score: int) -> list[dict[str, Any]]:
    """Score 5 bought within the first cut, score 4 within the second but not the first …"""
    passed = 5 - score
    parts = [leaves.did(grid.event, 1, grid.days[passed] if passed < len(grid.days) else YEAR)]
    if passed > len(grid.days):
        return [nobody(grid)]
    return parts + ([leaves.did_not(grid.event, 1, grid.days[passed - 1])] if passed else [])


def _frequency(grid: Grid, score: int) -> list[dict[str, Any]]:
    passed = score - 1
    if passed > len(grid.counts):
        return [nobody(grid)]
    parts = [leaves.did(grid.event, grid.counts[passed - 1] + 1, YEAR)] if passed else []
    return parts + ([leaves.did_not(grid.event, grid.counts[passed] + 1, YEAR)] if passed < len(grid.counts) else [])


def _monetary(grid: Grid, score: int) -> list[dict[str, Any]]:
    passed = score - 1
    if passed > len(grid.amounts):
        return [nobody(grid)]
    parts = [_more_than(grid, grid.amounts[passed - 1])] if passed else []
    if passed < len(grid.amounts):
        parts.append(leaves.none(_more_than(grid, grid.amounts[passed])))
    return parts


def _more_than(grid: Grid, amount: float) -> dict[str, Any]:
    return leaves.summed(grid.event, grid.money_property, "greater", amount, YEAR, grid.filters)


def nobody(grid: Grid) -> dict[str, Any]:
    """A square beyond the last cut: ties have left it empty."""
    return leaves.every(leaves.did(grid.event), leaves.did_not(grid.event))


def bounds(grid: Grid, recency: int, frequency: int) -> str:
    """A square in words: `bought in the last 20 days, 5 times or more in the last year`."""
    passed, cuts = 5 - recency, grid.days
    if passed > len(cuts) or frequency - 1 > len(grid.counts):
        return "nobody: equal values share the score below"
    lately = (
        f"in the last {cuts[0]} days" if passed == 0 else f"{cuts[passed - 1]} to {_or_year(cuts, passed)} days ago"
    )
    low = grid.counts[frequency - 2] + 1 if frequency > 1 else 1
    high = grid.counts[frequency - 1] if frequency - 1 < len(grid.counts) else None
    often = f"{low:,} or more" if high is None else (f"{low:,}" if low == high else f"{low:,} to {high:,}")
    return f"last bought {lately}, {often} {'time' if often == '1' else 'times'} in a year"


def _or_year(cuts: list[int], passed: int) -> int:
    return cuts[passed] if passed < len(cuts) else YEAR
