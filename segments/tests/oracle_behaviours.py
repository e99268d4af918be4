"""Every behaviour once more, naively: one person's events, looked through as often as it takes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from segments.tests.oracle import Happening

Fits = Callable[["Happening", dict[str, Any]], bool]
Rule = dict[str, Any]
UNITS = {"day": timedelta(days=1), "week": timedelta(days=7), "month": timedelta(days=30)}
LARGEST = 10**30
HOME = ZoneInfo("Pacific/Auckland")  # the organisation's


def is_true(rule: Rule, events: Sequence[Happening], now: datetime, fits: Fits) -> bool:
    """`fits` says whether an event meets one property filter."""
    past = sorted((event for event in events if event.at <= now), key=lambda event: event.at)
    matching = [event for event in past if _is(rule, event, fits)]
    within = [event for event in matching if is_inside(rule.get("within"), event.at, now)]
    if rule["operator"] in COUNTS:
        return COUNTS[rule["operator"]](len(within), rule.get("count", 1))
    if rule["operator"] in AMOUNTS:
        return AMOUNTS[rule["operator"]](rule, within)
    return STORIES[rule["operator"]](rule, matching, now, [event for event in past if _answers(rule, event, fits)])


def critical_moments(rule: Rule, events: Sequence[Happening]) -> list[datetime]:
    """Every moment at which time alone may change the truth: an event comes, or a span after it is over."""
    spans = [timedelta(), *(span(rule[name]) for name in ("within", "gap", "more_than") if _is_span(rule.get(name)))]
    spans += [UNITS[rule["unit"]] * (number + 1) for number in range(rule.get("periods", 0))]
    if rule["operator"] == "overdue":
        spans += [rule.get("times", 3) * abs(one.at - other.at) for one in events for other in events]
    return [event.at + length for event in events for length in spans]


def span(raw: Any) -> timedelta:
    return timedelta(days=raw) if isinstance(raw, int) else timedelta(**raw)


def is_inside(within: Any, at: datetime, now: datetime) -> bool:
    if within is None:
        return True
    if _is_span(within):
        return now - span(within) < at
    since, until = within.get("from"), within.get("to")
    return (since is None or begins_at(since) <= at) and (until is None or at < ends_at(until))


def begins_at(written: str) -> datetime:
    """A whole day begins with its first moment where the organisation is."""
    return _home_day(written, 0) if _is_day(written) else _moment(written)


def ends_at(written: str) -> datetime:
    return _home_day(written, 1) if _is_day(written) else _moment(written)


def _is_day(written: str) -> bool:
    return len(written) == len("2026-01-31")


@cache
def _home_day(written: str, more: int) -> datetime:
    """Looked for from the noon before, minute by minute, so that no rule about gaps and folds is taken on trust."""
    day = date.fromisoformat(written) + timedelta(days=more)
    found = datetime.combine(day, time(), UTC) - timedelta(hours=16)
    while found.astimezone(HOME).date() < day:
        found += timedelta(minutes=1)
    return found


def _is_span(raw: Any) -> bool:
    return isinstance(raw, int) or (isinstance(raw, dict) and not raw.keys() & {"from", "to"})


def _moment(written: str) -> datetime:
    found = datetime.fromisoformat(written)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _is(pattern: Rule, event: Happening, fits: Fits) -> bool:
    return event.name == pattern["event"] and all(fits(event, item) for item in pattern.get("where", []))


def _answers(rule: Rule, event: Happening, fits: Fits) -> bool:
    return "then" in rule and _is(rule["then"], event, fits)


# --- how often -----------------------------------------------------------------------------------------

COUNTS: dict[str, Callable[[int, int], bool]] = {
    "did": lambda found, count: found >= count,
    "did_not": lambda found, count: found < count,
    "did_exactly": lambda found, count: found == count,
    "did_at_most": lambda found, count: found <= count,
}


# --- how much ------------------------------------------------------------------------------------------


def _numbers(rule: Rule, events: Sequence[Happening]) -> list[Fraction]:
    raw = [plain_number(event.properties.get(rule["property"])) for event in events]
    is_number = [isinstance(value, int | float | Fraction) and not isinstance(value, bool) for value in raw]
    found = [Fraction(str(value)) for value, fits in zip(raw, is_number, strict=True) if fits]
    return [max(min(value, Fraction(LARGEST)), Fraction(-LARGEST)) for value in found]


PLAIN = re.compile(r"-?([0-9]+[.]?[0-9]*|[.][0-9]+)")


def plain_number(raw: Any) -> Any:
    """A text that is a plain decimal number counts as that number; everything else is what it is."""
    is_plain = isinstance(raw, str) and len(raw) <= 30 and PLAIN.fullmatch(raw)
    return Fraction(raw) if is_plain else raw


def _compared(rule: Rule, found: Fraction | int) -> bool:
    raw = rule["value"] if isinstance(rule["value"], list) else [rule["value"], rule["value"]]
    low, high = (Fraction(str(value)) for value in raw)
    answers = {"greater": found > low, "greater_or_equal": found >= low, "less": found < low}
    answers |= {"less_or_equal": found <= low, "equals": found == low, "between": low <= found <= high}
    return answers[rule["compare"]]


def _content(raw: Any) -> str:
    """A JSON value by what it says: 5 and 5.0 are the same number, "5" is a text."""
    if isinstance(raw, int | float) and not isinstance(raw, bool):
        return f"number {Fraction(str(raw))}"
    return json.dumps(raw, sort_keys=True)


def _total(rule: Rule, within: Sequence[Happening]) -> bool:
    return _compared(rule, sum(_numbers(rule, within), Fraction()))


def _average(rule: Rule, within: Sequence[Happening]) -> bool:
    numbers = _numbers(rule, within)
    return bool(numbers) and _compared(rule, sum(numbers, Fraction()) / len(numbers))


def _smallest(rule: Rule, within: Sequence[Happening]) -> bool:
    numbers = _numbers(rule, within)
    return bool(numbers) and _compared(rule, min(numbers))


def _largest(rule: Rule, within: Sequence[Happening]) -> bool:
    numbers = _numbers(rule, within)
    return bool(numbers) and _compared(rule, max(numbers))


def _distinct(rule: Rule, within: Sequence[Happening]) -> bool:
    raw = [event.properties.get(rule["property"]) for event in within]
    return _compared(rule, len({_content(value) for value in raw if value is not None and value not in ("", [], {})}))


AMOUNTS: dict[str, Callable[[Rule, Sequence[Happening]], bool]] = {
    "sum": _total, "average": _average, "smallest": _smallest, "largest": _largest, "distinct": _distinct,
}  # fmt: skip


# --- in what order -------------------------------------------------------------------------------------

Story = Callable[[Rule, "Sequence[Happening]", datetime, "Sequence[Happening]"], bool]


def _first_time(rule: Rule, matching: Sequence[Happening], now: datetime, answers: Sequence[Happening]) -> bool:
    return bool(matching) and is_inside(rule["within"], matching[0].at, now)


def _last_time(rule: Rule, matching: Sequence[Happening], now: datetime, answers: Sequence[Happening]) -> bool:
    within = [event for event in matching if is_inside(rule.get("within"), event.at, now)]
    return bool(within) and within[-1].at <= now - span(rule["more_than"])


def _then(rule: Rule, matching: Sequence[Happening], now: datetime, answers: Sequence[Happening]) -> bool:
    within = rule.get("within")
    return any(
        first.at < second.at <= first.at + span(rule["gap"])
        for first in matching
        for second in answers
        if is_inside(within, first.at, now) and is_inside(within, second.at, now)
    )


def _then_not(rule: Rule, matching: Sequence[Happening], now: datetime, answers: Sequence[Happening]) -> bool:
    gap = span(rule["gap"])
    return any(
        first.at + gap <= now and not any(first.at < second.at <= first.at + gap for second in answers)
        for first in matching
        if is_inside(rule.get("within"), first.at, now)
    )


def _regularly(rule: Rule, matching: Sequence[Happening], now: datetime, answers: Sequence[Happening]) -> bool:
    unit = UNITS[rule["unit"]]
    kept = [
        any(now - unit * (number + 1) < event.at <= now - unit * number for event in matching)
        for number in range(rule["periods"])
    ]
    return sum(kept) >= rule["at_least"]


def _stopped(rule: Rule, matching: Sequence[Happening], now: datetime, answers: Sequence[Happening]) -> bool:
    within = rule["within"]
    start = now - span(within) if _is_span(within) else begins_at(within["from"])
    before = [event for event in matching if (event.at <= start if _is_span(within) else event.at < start)]
    return len(before) >= rule.get("count", 1) and not any(is_inside(within, event.at, now) for event in matching)


def _restarted(rule: Rule, matching: Sequence[Happening], now: datetime, answers: Sequence[Happening]) -> bool:
    return any(
        later.at - earlier.at >= span(rule["pause"]) and is_inside(rule.get("within"), later.at, now)
        for earlier, later in pairwise(matching)
    )


def _overdue(rule: Rule, matching: Sequence[Happening], now: datetime, answers: Sequence[Happening]) -> bool:
    gaps = sorted(later.at - earlier.at for earlier, later in pairwise(matching))
    gaps = [gap for gap in gaps if gap >= timedelta(days=1)]
    if len(matching) < rule.get("count", 3) or not gaps:
        return False
    return matching[-1].at + rule.get("times", 3) * gaps[(len(gaps) - 1) // 2] <= now


STORIES: dict[str, Story] = {
    "first_time": _first_time, "last_time": _last_time, "then": _then, "then_not": _then_not,
    "regularly": _regularly, "stopped": _stopped, "restarted": _restarted,
    "overdue": _overdue,
}  # fmt: skip
