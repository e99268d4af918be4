"""Lifecycle stages: every contact is in exactly one."""

from __future__ import annotations

from collections.abc import Iterator

from segments.patterns import leaves
from segments.patterns.facts import YEAR, Facts, whole_days
from segments.patterns.found import Found, Missing, Outcome
from segments.patterns.rhythm import GAPS_NEEDED, gaps, new_days

GROUP = "Lifecycle"
TITLES = {
    "prospect": "Prospects", "new": "New", "loyal": "Loyal", "active": "Active", "at-risk": "At risk", "lost": "Lost",
}  # fmt: skip
OFTEN_SQL = "SELECT percentile_disc(0.75) WITHIN GROUP (ORDER BY year) FROM buyer WHERE year > 0"


def lifecycle(facts: Facts) -> Iterator[Outcome]:
    """Prospect, new, active, loyal, at risk, lost: split by the gaps between purchases."""
    count, quantiles = gaps(facts)
    if count < GAPS_NEEDED:
        sentence = f"Only {count:,} gaps between purchases are known; {GAPS_NEEDED} are needed to draw the stages."
        yield Missing("lifecycle", GROUP, "Lifecycle stages", sentence)
        return
    soon = whole_days(quantiles[1])
    late = max(soon + 1, whole_days(quantiles[3]))
    fresh = min(soon, new_days(facts)[0])
    (often,) = facts.one(OFTEN_SQL)
    yield from _stages(facts, fresh, soon, late, max(3, often or 0))


def _stages(facts: Facts, fresh: int, soon: int, late: int, often: int) -> Iterator[Found]:
    event = facts.meaning.purchase_event
    is_new = leaves.first_time(event, fresh)
    active = leaves.did(event, 1, soon)
    words = _words(event, fresh, soon, late, often)
    rules = {
        "prospect": leaves.did_not(event),
        "new": is_new,
        "loyal": leaves.every(active, leaves.did(event, often, YEAR), leaves.none(is_new)),
        "active": leaves.every(active, leaves.did_not(event, often, YEAR), leaves.none(is_new)),
        "at-risk": leaves.every(leaves.did(event, 1, late), leaves.did_not(event, 1, soon)),
        "lost": leaves.every(leaves.did(event), leaves.did_not(event, 1, late)),
    }
    for key, rule in rules.items():
        evidence = {"new_days": fresh, "soon_days": soon, "late_days": late, "often": often}
        yield Found(f"stage-{key}", GROUP, TITLES[key], words[key], rule, evidence)


def _words(event: str, fresh: int, soon: int, late: int, often: int) -> dict[str, str]:
    split = f"three of four repeat purchases come within {soon} days of the one before"
    return {
        "prospect": f"Have not done “{event}” yet.",
        "new": f"The first purchase is at most {fresh} days old.",
        "loyal": f"Bought {often} times or more in the last year, as the best quarter of buyers does, and in the "
        f"last {soon} days: {split}.",
        "active": f"Bought in the last {soon} days ({split}), neither new nor loyal.",
        "at-risk": f"The last purchase is {soon} to {late} days back: 19 of 20 repeat purchases come within {late} "
        "days, so it is late but not over.",
        "lost": f"The last purchase is more than {late} days back: 19 of 20 repeat purchases come sooner.",
    }
