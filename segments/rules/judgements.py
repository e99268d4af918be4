"""The SQL of each behaviour: its truth, never NULL, and the next moment at which time alone may change it.

Before `flips_at` nothing changes by itself, and `flips_at` always lies ahead of now: it is the moment an event
that counts leaves the window, a wait comes to its end, or an event dated ahead comes true.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from segments.rules import windows
from segments.rules.algebra import Verdict
from segments.rules.amounts import bounds, compared
from segments.rules.parameters import NOW
from segments.rules.readings import Reading, content_of, number_of
from segments.rules.tree import EventRule, Period, Within

VISIT = timedelta(days=1)
EARLIEST = datetime.min.replace(tzinfo=UTC)
UNITS = {"day": timedelta(days=1), "week": timedelta(days=7), "month": timedelta(days=30)}


def did(rule: EventRule, events: Reading) -> Verdict:
    return _stands(events.nth(rule.count, rule.within), rule.within, events)


def did_not(rule: EventRule, events: Reading) -> Verdict:
    return _complement(did(rule, events))


def did_at_most(rule: EventRule, events: Reading) -> Verdict:
    return _complement(_stands(events.nth(rule.count + 1, rule.within), rule.within, events))


def did_exactly(rule: EventRule, events: Reading) -> Verdict:
    """Too many: until the one too many leaves. Just right: until one leaves or another comes."""
    enough, too_many = events.nth(rule.count, rule.within), events.nth(rule.count + 1, rule.within)
    leaves = [windows.lapses(moment, rule.within, events.parameters) for moment in (enough, too_many)]
    return Verdict(
        f"({enough} IS NOT NULL AND {too_many} IS NULL)",
        f"CASE WHEN {too_many} IS NULL THEN least({events.next_at}, {leaves[0]}) ELSE {leaves[1]} END",
    )


def first_time(rule: EventRule, events: Reading) -> Verdict:
    """The first event stays the first: it leaves the window once."""
    first = events.measure("min(event.happened_at)", None)
    truth = f"coalesce({' AND '.join(windows.inside(rule.within, events.parameters, first))}, false)"
    leaves = windows.lapses(first, rule.within, events.parameters)
    return Verdict(truth, f"CASE WHEN {first} IS NULL THEN {events.next_at} WHEN {truth} THEN {leaves} END")


def last_time(rule: EventRule, events: Reading) -> Verdict:
    last = events.nth(1, rule.within)
    silence = events.parameters.bind(rule.more_than, "interval")
    leaves = windows.lapses(last, rule.within, events.parameters)
    truth = f"coalesce({last} <= {windows.ago(rule.more_than, events.parameters)}, false)"
    waits = f"CASE WHEN {last} IS NULL THEN {events.next_at} ELSE {last} + {silence} END"
    return Verdict(truth, f"CASE WHEN {truth} THEN least({events.next_at}, {leaves}) ELSE {waits} END")


def total(rule: EventRule, events: Reading) -> Verdict:
    """Who has no such event has a sum of zero."""
    added = events.measure(f"sum({number_of(events, rule.property)})", rule.within, kind="numeric")
    return _compared(rule, events, f"coalesce({added}, 0)")


def average(rule: EventRule, events: Reading) -> Verdict:
    """The sum against the number times the count: no quotient is ever rounded."""
    number = number_of(events, rule.property)
    added = events.measure(f"sum({number})", rule.within, kind="numeric")
    count = events.measure(f"count({number})", rule.within, kind="bigint")
    return _compared(rule, events, added, times=f" * {count}")


def smallest(rule: EventRule, events: Reading) -> Verdict:
    found = events.measure(f"min({number_of(events, rule.property)})", rule.within, kind="numeric")
    return _compared(rule, events, found)


def largest(rule: EventRule, events: Reading) -> Verdict:
    found = events.measure(f"max({number_of(events, rule.property)})", rule.within, kind="numeric")
    return _compared(rule, events, found)


def distinct(rule: EventRule, events: Reading) -> Verdict:
    content, is_set = content_of(events, rule.property)
    count = events.measure(f"count(DISTINCT {content})", rule.within, only=is_set, kind="bigint")
    return _compared(rule, events, f"coalesce({count}, 0)")


def then(rule: EventRule, events: Reading) -> Verdict:
    """The youngest first event that was answered in time stands for all."""
    answered = [f"event.is_first AND event.waited <= {_gap(rule, events)}"]
    if end := windows.ending(rule.within, events.parameters):
        answered.append(f"event.answered_at < {end}")
    youngest = events.measure("max(event.happened_at)", rule.within, only=" AND ".join(answered))
    return _stands(youngest, rule.within, events)


def then_not(rule: EventRule, events: Reading) -> Verdict:
    """Decided when the gap is over. What is still open may become true when its gap ends."""
    gap, over = _gap(rule, events), windows.ago(rule.gap, events.parameters)
    unanswered = f"event.is_first AND coalesce(event.waited > {gap}, true)"
    decided = events.measure(
        "max(event.happened_at)", rule.within, only=f"{unanswered} AND event.happened_at <= {over}"
    )
    pending = events.measure(
        "min(event.happened_at)", rule.within, only=f"{unanswered} AND event.happened_at > {over}"
    )
    leaves = windows.lapses(decided, rule.within, events.parameters)
    return Verdict(
        f"{decided} IS NOT NULL",
        f"CASE WHEN {decided} IS NULL THEN least({pending} + {gap}, {events.next_at}) ELSE {leaves} END",
    )


def regularly(rule: EventRule, events: Reading) -> Verdict:
    """Periods count back from now. A period empties when its youngest event moves on to the one before it, and
    an empty one fills when the oldest event of the one after it does."""
    unit, whole = UNITS[rule.unit], rule.periods * UNITS[rule.unit]
    ends = [windows.ago(number * unit, events.parameters) for number in range(rule.periods + 1)]
    youngest, oldest = [], []
    for end, beginning in pairwise(ends):
        within = f"event.happened_at > {beginning} AND event.happened_at <= {end}"
        youngest.append(events.measure("max(event.happened_at)", whole, only=within))
        oldest.append(events.measure("min(event.happened_at)", whole, only=within))
    kept = " + ".join(f"({moment} IS NOT NULL)::int" for moment in youngest)
    ages = [events.parameters.bind((number + 1) * unit, "interval") for number in range(rule.periods)]
    moves = [f"{moment} + {age}" for moment, age in zip(youngest, ages, strict=True)]
    moves += [
        f"CASE WHEN {before} IS NULL THEN {moment} + {age} END"
        for moment, before, age in zip(oldest, youngest[1:], ages, strict=False)
    ]
    wanted = events.parameters.bind(rule.at_least, "int")
    return Verdict(f"({kept} >= {wanted})", f"least({events.next_at}, {', '.join(moves)})")


def stopped(rule: EventRule, events: Reading) -> Verdict:
    """Often enough before the window, and nothing in it."""
    if isinstance(rule.within, Period):
        # Up to the moment at which the window begins; a whole day as an end would take that day in.
        begins_at = windows.starts(rule.within.since or date.min, events.parameters) or EARLIEST
        before = events.nth(rule.count, Period(None, begins_at))
        since = events.nth(1, rule.within)
        truth = f"({before} IS NOT NULL AND {since} IS NULL)"
        return Verdict(truth, f"CASE WHEN {since} IS NULL THEN {events.next_at} END")
    enough, last = events.nth(rule.count, None), events.nth(1, None)
    leaves = windows.lapses(last, rule.within, events.parameters)
    is_over = f"{last} <= {windows.beginning(rule.within, events.parameters)}"
    return Verdict(
        f"({enough} IS NOT NULL AND {is_over})",
        f"CASE WHEN {enough} IS NULL OR {is_over} THEN {events.next_at} ELSE {leaves} END",
    )


def restarted(rule: EventRule, events: Reading) -> Verdict:
    pause = events.parameters.bind(rule.pause, "interval")
    came_back = f"event.paused >= {pause}"
    return _stands(events.measure("max(event.happened_at)", rule.within, only=came_back), rule.within, events)


def overdue(rule: EventRule, events: Reading) -> Verdict:
    """Silent for so many times the middle of the contact's own gaps.

    Of an even number of gaps it is the shorter one of the two in the middle; a gap under a day is one visit in
    several events. Silence only grows: it becomes true once, and the next event ends it.
    """
    gap = events.measure(
        "percentile_disc(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM event.paused))",
        None,
        only=f"event.paused >= {events.parameters.bind(VISIT, 'interval')}",
        kind="numeric",
    )
    last, count = events.measure("max(event.happened_at)", None), events.measure("count(*)", None, kind="bigint")
    times = events.parameters.bind(rule.times, "int")
    due = f"({last} + {gap} * {times} * interval '1 second')"
    is_known = f"coalesce({count} >= {events.parameters.bind(rule.count, 'int')}, false)"
    truth = f"coalesce({is_known} AND {due} <= {NOW}, false)"
    return Verdict(
        truth,
        f"CASE WHEN {is_known} AND {due} > {NOW} THEN least({events.next_at}, {due}) ELSE {events.next_at} END",
    )


def _stands(moment: str, within: Within, events: Reading) -> Verdict:
    """True while there is such a moment in the window; one that is missing can only come."""
    leaves = windows.lapses(moment, within, events.parameters)
    return Verdict(f"{moment} IS NOT NULL", f"CASE WHEN {moment} IS NULL THEN {events.next_at} ELSE {leaves} END")


def _complement(verdict: Verdict) -> Verdict:
    return Verdict(f"(NOT {verdict.truth})", verdict.flips_at)


def _compared(rule: EventRule, events: Reading, left: str, times: str = "") -> Verdict:
    """Any event that leaves the window may change it."""
    limits = [events.parameters.bind(limit, "numeric") + times for limit in bounds(rule)]
    oldest = events.measure("min(event.happened_at)", rule.within)
    leaves = windows.lapses(oldest, rule.within, events.parameters)
    return Verdict(f"coalesce({compared(rule, left, limits)}, false)", f"least({events.next_at}, {leaves})")


def _gap(rule: EventRule, events: Reading) -> str:
    return events.parameters.bind(rule.gap, "interval")
