"""What the operators mean, one value at a time, in plain Python."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

DATE = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?", re.ASCII)
DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
DAY = timedelta(days=1)
NEGATED = {
    "not_equals": "equals",
    "not_contains": "contains",
    "not_in": "in",
    "not_set": "is_set",
    "not_starts_with": "starts_with",
    "not_ends_with": "ends_with",
    "not_matches": "matches",
    "not_on": "on",
    "contains_none": "contains_any",
}


@dataclass(frozen=True)
class Given:
    """What a person has, of which kind, and when and where we look at it."""

    raw: Any
    kind: str
    now: datetime
    zone: ZoneInfo
    is_column: bool = False


def holds(rule: dict[str, Any], given: Given) -> bool:
    operator, wanted = rule["operator"], rule.get("value")
    if operator in NEGATED:
        return not holds(rule | {"operator": NEGATED[operator]}, given)
    if operator == "is_set":
        empty = [None, "", [], {}] if not given.is_column or given.kind != "number" else [None, 0]
        return not any(type(given.raw) is type(item) and given.raw == item for item in empty)
    value = typed(given.raw, given.kind)
    if operator in ("has_at_least", "has_at_most"):
        size = len(value or [])
        return size >= wanted if operator == "has_at_least" else size <= wanted
    if value is None:
        return False
    if given.kind == "date":
        return _of_date(operator, value, wanted, given)
    if given.kind == "list":
        return _of_list(operator, value, wanted)
    return _of_scalar(operator, value, wanted)


def _of_scalar(operator: str, value: Any, wanted: Any) -> bool:
    low, high = wanted if operator == "between" else (wanted, wanted)
    return {
        "equals": lambda: value == wanted,
        "in": lambda: value in wanted,
        "contains": lambda: wanted in value,
        "starts_with": lambda: value.startswith(wanted),
        "ends_with": lambda: value.endswith(wanted),
        "matches": lambda: re.fullmatch(_expression(wanted), value, re.DOTALL) is not None,
        "greater": lambda: value > wanted,
        "greater_or_equal": lambda: value >= wanted,
        "less": lambda: value < wanted,
        "less_or_equal": lambda: value <= wanted,
        "between": lambda: low <= value <= high,
        "is_true": lambda: value is True,
        "is_false": lambda: value is False,
    }[operator]()


def _expression(pattern: str) -> str:
    return "".join({"*": ".*", "?": "."}.get(character) or re.escape(character) for character in pattern)


def _of_list(operator: str, value: list[Any], wanted: Any) -> bool:
    def has(item: Any) -> bool:
        return any(item == element and isinstance(item, bool) == isinstance(element, bool) for element in value)

    if operator == "contains":
        return has(wanted)
    return all(map(has, wanted)) if operator == "contains_all" else any(map(has, wanted))


def _of_date(operator: str, value: datetime, wanted: Any, given: Given) -> bool:
    now, day = given.now, local_day(given.raw, given.zone)
    today = now.astimezone(given.zone).date()
    if operator in ("in_last", "more_than_ago", "in_next"):
        length = span(wanted)
        return {
            "in_last": now - length < value <= now,
            "more_than_ago": value <= now - length,
            "in_next": now < value <= now + length,
        }[operator]
    if operator == "anniversary":
        return today in anniversaries(day)
    if operator == "anniversary_in_next":
        return any(today < found <= today + span(wanted) for found in anniversaries(day))
    if operator == "weekday":
        return DAYS[day.weekday()] in wanted
    if operator == "day_of_month":
        return day.day in wanted
    if operator in ("before", "after", "on"):
        return _beside(operator, value, day, wanted)
    return _of_moment(operator, value, wanted)


def _beside(operator: str, value: datetime, day: date, wanted: str) -> bool:
    """A whole day is a day where the contact lives."""
    here: Any = day if len(wanted) == 10 else value
    there: Any = date.fromisoformat(wanted) if len(wanted) == 10 else moment_of(wanted)
    return {"before": here < there, "after": here > there, "on": here == there}[operator]


def _of_moment(operator: str, value: datetime, wanted: Any) -> bool:
    low, high = wanted if operator == "between" else (wanted, wanted)
    start, end = moment_of(low), moment_of(high)
    assert start and end
    last = end + DAY - timedelta(microseconds=1) if len(high) == 10 else end
    return {
        "equals": start <= value <= last,
        "between": start <= value <= last,
        "greater": value > start,
        "greater_or_equal": value >= start,
        "less": value < start,
        "less_or_equal": value <= last,
    }[operator]


def critical_moments(rule: dict[str, Any], given: Given) -> list[datetime]:
    """Every moment at which the condition may change by time alone."""
    value = moment_of(given.raw)
    if value is None:
        return []
    operator = rule["operator"]
    if operator in ("in_last", "more_than_ago"):
        return [value, value + span(rule["value"])]
    if operator == "in_next":
        return [value - span(rule["value"]), value]
    if operator.startswith("anniversary"):
        ahead = span(rule["value"]) if "value" in rule else DAY
        days = [day for day in anniversaries(local_day(given.raw, given.zone)) if 2024 < day.year < 2029]
        return [midnight(found, given.zone) for day in days for found in (day - ahead, day, day + DAY)]
    return []


def anniversaries(day: date) -> list[date]:
    """29 February is kept on the 28th in common years; the first is a year later."""
    return [_in_year(day, year) for year in range(max(day.year, 1899) + 1, 2100)]


def _in_year(day: date, year: int) -> date:
    try:
        return day.replace(year=year)
    except ValueError:
        return day.replace(year=year, day=28)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The first moment of a day."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def local_day(raw: Any, zone: ZoneInfo) -> date:
    """A date without a time is the same day everywhere."""
    if isinstance(raw, str) and len(raw) == 10:
        return date.fromisoformat(raw)
    value = moment_of(raw)
    assert value is not None
    return value.astimezone(zone).date()


def span(raw: Any) -> timedelta:
    return timedelta(days=raw) if isinstance(raw, int) else timedelta(**raw)


def typed(raw: Any, kind: str) -> Any:
    if kind == "text":
        return raw if isinstance(raw, str) or raw is None else json.dumps(raw, ensure_ascii=False)
    if kind == "date":
        return moment_of(raw)
    fits = {"number": isinstance(raw, int | float | Fraction) and not isinstance(raw, bool)}
    fits |= {"boolean": isinstance(raw, bool), "list": isinstance(raw, list)}
    return raw if fits[kind] else None


def moment_of(raw: Any) -> datetime | None:
    """The moment a value stands for, or None when it is no date."""
    if isinstance(raw, datetime):
        return raw
    if not isinstance(raw, str) or not DATE.fullmatch(raw):
        return None
    try:
        moment = datetime.fromisoformat(raw)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
