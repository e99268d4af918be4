"""How invitations spread (VIR-4)."""

from __future__ import annotations

from accounts.models import Organization
from common import charts, figures
from common.charts import Cell, Chart, Column, Table
from dashboards.boards.base import Board, Filled, Tile
from dashboards.cards.base import Reading
from dashboards.periods import Picked
from dashboards.targets import HEALTHY_K, level_of_k, number
from viral import selectors as viral
from viral.selectors import Coefficient

STEP_WORDS = {
    "invited": "Invited",
    "clicked": "Clicked",
    "signed_up": "Signed up",
    "qualified": "Qualified",
    "rewarded": "Rewarded",
}


def fill(place: Organization, period: Picked) -> Filled:
    found = viral.coefficient(period.span)
    plural = "invitation of this period was" if found.rejected == 1 else "invitations of this period were"
    turned_away = f"{found.rejected:,} {plural} turned away: self-referrals and the like."
    return Filled(
        _tiles(found, place.currency), [_funnel(found), _weeks(found)], turned_away if found.rejected else ""
    )


def _tiles(found: Coefficient, currency: str) -> list[Tile]:
    days = found.median_days_to_qualify
    each = found.invitations_per_inviter
    k = Reading(number(found.coefficient), "target 1.20", level=level_of_k(found.coefficient))
    return [
        Tile("K", k, "Invited friends who qualified ÷ people who invited"),
        Tile("Qualified", Reading(f"{found.conversions:,}", "invited friends", found.rows["conversions"])),
        Tile("Signed up", Reading(f"{found.sign_ups:,}", "invited friends", found.rows["sign_ups"])),
        Tile(
            "Invitations", Reading(f"{found.invitations:,}", f"{number(each)} per inviter", found.rows["invitations"])
        ),
        Tile("Until qualified", Reading(_days(days), "half are quicker")),
        Tile("Worth", Reading(figures.headline(found.revenue_minor, currency), "of the qualifying orders")),
    ]


def _days(days: float | None) -> str:
    return "–" if days is None else "same day" if days < 0.5 else f"{days:.1f} days"


def _funnel(found: Coefficient) -> Chart:
    names = [STEP_WORDS[step.name] for step in found.steps]
    counts = [step.count for step in found.steps]
    rows = [
        [Cell(name), figures.count(step.count), figures.share(step.rate)]
        for name, step in zip(names, found.steps, strict=True)
    ]
    columns = [Column("Step"), Column("Friends", "number"), Column("Of the step before", "number")]
    summary = (
        f"Of {counts[0]:,} invitations made in this period, {counts[3]:,} friends have qualified so far."
        if counts[0]
        else ""
    )
    figure = charts.funnel(names, counts)
    empty = "Nobody was invited in this period. Share links of a programme are where invitations start."
    return Chart(
        "steps", "From invitation to reward", summary, Table(columns, rows if counts[0] else []), figure, empty
    )


def _weeks(found: Coefficient) -> Chart:
    weeks = [f"{week.starts_at:%-d %b %Y}" for week in found.weeks]
    rows = [
        [
            Cell(name),
            figures.count(week.inviters),
            figures.count(week.conversions),
            Cell(number(week.coefficient), "" if week.coefficient is None else round(week.coefficient, 4)),
        ]
        for name, week in zip(weeks, found.weeks, strict=True)
    ]
    columns = [Column("Week from"), *(Column(title, "number") for title in ("Inviters", "Qualified", "K"))]
    drawn = {"K": [week.coefficient or 0 for week in found.weeks], "Target": [HEALTHY_K] * len(weeks)}
    return Chart(
        "weeks",
        "K by week",
        _trend(found),
        Table(columns, rows),
        charts.lines([week.starts_at.date().isoformat() for week in found.weeks], drawn),
    )


def _trend(found: Coefficient) -> str:
    known = [week.coefficient for week in found.weeks if week.coefficient is not None]
    if len(known) < 2:
        return "One week is not a trend yet."
    word = "rose" if known[-1] > known[0] else "fell" if known[-1] < known[0] else "stayed"
    return f"K {word} from {known[0]:.2f} to {known[-1]:.2f} over {len(known)} weeks."


BOARD = Board("viral", "Viral growth", "How many friends does each inviter bring?", "viral", fill)
