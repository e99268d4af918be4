"""When people buy: who is new, who has gone quiet, who comes more often, who comes in season."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from segments.domain.seasons import LEAST_PURCHASES, PERIOD_DAYS, best_season
from segments.patterns import leaves
from segments.patterns.facts import Facts, whole_days
from segments.patterns.found import Found, Missing, Outcome, percent

GROUP = "Rhythm"
GAPS_NEEDED = 30
SECONDS_NEEDED = 20
REGULAR = 3  # purchases that make a rhythm
OVERDUE = 3  # times the own usual gap
MOST_RISING = 12

# Gaps under a day are one visit in several purchases.
GAPS_SQL = """
SELECT count(*), percentile_cont(ARRAY[0.5, 0.75, 0.9, 0.95]) WITHIN GROUP (ORDER BY extract(epoch FROM gap) / 86400)
FROM purchase WHERE gap >= interval '1 day'"""
REGULAR_GAPS_SQL = """
SELECT count(*), count(DISTINCT contact_id),
       percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY extract(epoch FROM gap) / 86400)
FROM purchase JOIN buyer USING (contact_id) WHERE gap >= interval '1 day' AND ever >= %(regular)s"""
# As the rule `overdue` measures it.
OWN_GAPS_SQL = """
SELECT count(own), percentile_cont(0.5) WITHIN GROUP (ORDER BY own) FROM (
  SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM gap) / 86400)
         FILTER (WHERE gap >= interval '1 day') AS own
  FROM purchase GROUP BY contact_id HAVING count(*) >= %(regular)s) person"""
SECOND_SQL = """
SELECT count(second_at), percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM second_at - first_at) / 86400)
       FILTER (WHERE second_at - first_at >= interval '1 day') FROM buyer"""
MONTHS_SQL = """
SELECT floor(extract(epoch FROM %(end)s - happened_at) / 86400 / %(days)s)::int AS period, count(*)
FROM purchase WHERE happened_at >= %(start)s AND happened_at < %(end)s GROUP BY 1"""


def gaps(facts: Facts) -> tuple[int, list[float]]:
    """How many gaps between purchases there are, and their quantiles 50, 75, 90, 95 in days."""
    count, quantiles = facts.one(GAPS_SQL)
    return count, quantiles or []


def inactive(facts: Facts) -> Outcome:
    """Bought before, and silent for longer than nine of ten gaps between purchases."""
    key, title = "inactive", "Gone quiet"
    count, quantiles = gaps(facts)
    if count < GAPS_NEEDED:
        return Missing(key, GROUP, title, _few_gaps(count))
    days = whole_days(quantiles[2])
    reason = (
        f"Nine of ten repeat purchases come within {days} days of the one before (the middle one after "
        f"{quantiles[0]:.0f}; {count:,} gaps were looked at). Whoever bought before and has not for longer than that "
        "is unlikely to come by themselves."
    )
    return Found(key, GROUP, title, reason, quiet(facts, 1, days), {"days": days, "gaps": count})


def lapsing_regulars(facts: Facts) -> Outcome:
    """Regular buyers, silent for longer than nine of ten gaps of regular buyers."""
    key, title = "regulars-gone-quiet", "Regulars gone quiet"
    count, people, quantiles = facts.one(REGULAR_GAPS_SQL, regular=REGULAR)
    if count < GAPS_NEEDED:
        return Missing(key, GROUP, title, _few_gaps(count, f" of people who bought {REGULAR} times"))
    days = whole_days(quantiles[1])
    reason = (
        f"The {people:,} people who bought {REGULAR} times or more come back after {quantiles[0]:.0f} days in the "
        f"middle and nine of ten times within {days}. These have been away for longer."
    )
    return Found(key, GROUP, title, reason, quiet(facts, REGULAR, days), {"days": days, "gaps": count})


def overdue(facts: Facts) -> Outcome:
    """Silent for three times their own usual gap: a weekly buyer is late after weeks, a yearly one after years."""
    key, title = "quiet-by-own-rhythm", "Quiet by their own rhythm"
    people, middle = facts.one(OWN_GAPS_SQL, regular=REGULAR)
    if people < SECONDS_NEEDED:
        told = "1 person has" if people == 1 else f"{people:,} people have"
        sentence = f"Only {told} bought {REGULAR} times on different days; {SECONDS_NEEDED} are needed."
        return Missing(key, GROUP, title, sentence)
    reason = (
        f"{people:,} people bought {REGULAR} times or more, so each has a usual gap of their own (the middle of "
        f"their gaps; for half of them up to {middle:.0f} days). These have been silent for {OVERDUE} times that or "
        "longer: late by their own measure, whatever is usual for others."
    )
    rule = leaves.every(leaves.overdue(facts.meaning.purchase_event, REGULAR, OVERDUE))
    return Found(key, GROUP, title, reason, rule, {"people": people, "times": OVERDUE})


def quiet(facts: Facts, count: int, days: int) -> dict[str, Any]:
    """Bought at least `count` times ever, and not in the last `days`."""
    event = facts.meaning.purchase_event
    return leaves.every(leaves.did(event, count), leaves.did_not(event, 1, days))


def new_days(facts: Facts) -> tuple[int, int, bool]:
    """For how many days a customer is new, from how many second purchases, and whether those were enough."""
    count, median = facts.one(SECOND_SQL)
    if count < SECONDS_NEEDED or median is None:
        return 30, count, False
    return min(facts.meaning.window_days, max(7, whole_days(median))), count, True


def new(facts: Facts) -> Outcome:
    """The first purchase lies no longer back than the second one usually takes."""
    key, title = "new-customers", "New customers"
    if not facts.buyers:
        return Missing(key, GROUP, title, f"Nobody has done “{facts.meaning.purchase_event}” yet.")
    days, seconds, is_known = new_days(facts)
    reason = (
        f"Half of the {seconds:,} people who bought a second time did so within {days} days of the first "
        "(7 days at least, the patterns' window at most); until then a customer is new."
        if is_known
        else f"30 days: only {seconds:,} people have bought a second time, and {SECONDS_NEEDED} are needed to say "
        "how long that takes."
    )
    return Found(key, GROUP, title, reason, leaves.first_time(facts.meaning.purchase_event, days), {"days": days})


def rising(facts: Facts) -> Outcome:
    """Bought in the window at least twice as often as in the one before, and not for the first time."""
    key, title, said = "rising", "Rising", facts.meaning
    if facts.recent_buyers < SECONDS_NEEDED:
        sentence = f"Only {facts.recent_buyers:,} people bought in the last {said.window_days} days; "
        return Missing(key, GROUP, title, f"{sentence}this pattern needs {SECONDS_NEEDED}.")
    (most,) = facts.one("SELECT max(recent) FROM buyer")
    event, days = said.purchase_event, said.window_days
    # n in the window and at most n / 2 in the one before: n + n / 2 in both. One condition for each n.
    steps = [
        leaves.every(leaves.did(event, count, days), leaves.did_not(event, count + count // 2 + 1, 2 * days))
        for count in range(2, min(MOST_RISING, most) + 1)
    ]
    if not steps:
        return Missing(key, GROUP, title, f"Nobody bought twice in the last {days} days.")
    reason = (
        f"Bought at least twice in the last {days} days, at least twice as often as in the {days} days before, "
        "and had bought already before those began."
    )
    rule = leaves.every(
        leaves.either(*steps) if len(steps) > 1 else steps[0], leaves.none(leaves.first_time(event, days))
    )
    return Found(key, GROUP, title, reason, rule, {"days": days, "steps": len(steps)})


def seasonal(facts: Facts) -> Outcome:
    """Bought in the busiest quarter of the year and at no other time of it."""
    key, title = "seasonal", "Seasonal buyers"
    end = facts.now.replace(hour=0, minute=0, second=0, microsecond=0)
    start = end - timedelta(days=12 * PERIOD_DAYS)
    if facts.first_at is None or facts.first_at > start:
        begun = f"the first purchase is of {facts.first_at:%-d %b %Y}" if facts.first_at else "there is no purchase"
        return Missing(key, GROUP, title, f"A season needs {12 * PERIOD_DAYS} days of history; {begun}.")
    counts = dict(facts.all(MONTHS_SQL, start=start, end=end, days=PERIOD_DAYS))
    season = best_season([counts.get(period, 0) for period in range(11, -1, -1)])
    if not season.stands_out:
        best = f"the best hold {percent(season.share)} of {season.total:,} purchases"
        sentence = (
            f"No three of twelve months stand out: {best}. A season holds a third of {LEAST_PURCHASES} or more."
        )
        return Missing(key, GROUP, title, sentence)
    first, last = start + timedelta(days=season.first_day), start + timedelta(days=season.last_day)
    reason = (
        f"{percent(season.share)} of the purchases of the last {12 * PERIOD_DAYS} days were made from "
        f"{first:%-d %b %Y} to {last:%-d %b %Y}; 25 % would be even. These people bought then and at no other time "
        "of the year. One year cannot tell a season from growth: look at it again next year."
    )
    return Found(key, GROUP, title, reason, _only_then(facts, start, first, last, end), {"share": season.share})


def _only_then(facts: Facts, start: Any, first: Any, last: Any, end: Any) -> dict[str, Any]:
    event, day = facts.meaning.purchase_event, timedelta(days=1)
    others = []
    if first > start:
        others.append(leaves.did_between(event, _day(start), _day(first - day)))
    if last + day < end:
        others.append(leaves.did_between(event, _day(last + day), _day(end - day)))
    return leaves.every(leaves.did_between(event, _day(first), _day(last)), leaves.none(*others))


def _day(moment: Any) -> str:
    return str(moment.date())


def _few_gaps(count: int, whose: str = "") -> str:
    gaps = "1 gap" if count == 1 else f"{count:,} gaps"
    return f"Only {gaps} between purchases{whose} are known; {GAPS_NEEDED} are needed to say what is long."
