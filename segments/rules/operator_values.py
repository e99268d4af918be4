"""What stands in `value` of a condition, read as its operator and the kind of its field ask for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from segments.rules import values
from segments.rules.calendar import WEEKDAYS
from segments.rules.comparisons import moment
from segments.rules.operators import OPERATORS, Operator, Takes
from segments.rules.tree import Kind, Value
from segments.rules.values import Unfit, expected

LONGEST_AHEAD = timedelta(days=365)
MOST_ENTRIES = 10_000


def read_value(operator: Operator, kind: Kind, raw: Mapping[str, Any]) -> Value:
    """The operator's value, of the kind of the field; raises `Unfit`."""
    if operator.takes is Takes.NOTHING:
        if raw.get("value") is not None:
            raise Unfit("this operator takes no value")
        return None
    if "value" not in raw:
        raise Unfit("a value is missing")
    return READERS[operator.takes](kind, raw["value"])


def kind_of_value(raw: Mapping[str, Any]) -> Kind:
    """The kind that a condition itself speaks of: `greater "2026-01-31"` is about dates."""
    value = raw.get("value")
    if isinstance(value, list) and value:
        value = value[0]
    operator = OPERATORS.get(str(raw.get("operator")))
    kind = values.guess(value)
    if operator is None or kind in operator.kinds:
        return kind
    if len(operator.kinds) == 1:
        return next(iter(operator.kinds))
    return Kind.DATE if kind is Kind.TEXT and Kind.DATE in operator.kinds else kind


def fits(raw: Mapping[str, Any], kind: Kind) -> bool:
    """Whether a condition makes sense on a field of this kind."""
    operator = OPERATORS.get(str(raw.get("operator")))
    if operator is None or kind not in operator.kinds:
        return False
    try:
        read_value(operator, kind, raw)
    except Unfit:
        return False
    return True


def _many(kind: Kind, raw: Any) -> Value:
    if not isinstance(raw, list) or not 1 <= len(raw) <= values.MOST_VALUES:
        raise expected(f"a list of 1 to {values.MOST_VALUES:,} values", raw)
    return tuple(values.read(kind, item) for item in raw)


def _pair(kind: Kind, raw: Any) -> Value:
    if not isinstance(raw, list) or len(raw) != 2:
        raise expected("a list of two values, the lower one first", raw)
    low, high = (values.read(kind, item) for item in raw)
    if _order(low) > _order(high):
        raise expected("the lower value first", raw)
    return low, high


def _order(value: Any) -> Any:
    return moment(value) if isinstance(value, date) else value


def _day(kind: Kind, raw: Any) -> Value:
    day = values.read_date(raw)
    if isinstance(day, datetime):
        raise expected('a day such as "2026-01-31"', raw)
    return day


def _days(kind: Kind, raw: Any) -> Value:
    span = values.read_span(raw)
    if span % timedelta(days=1) or span > LONGEST_AHEAD:
        raise expected('whole days up to a year, such as {"days": 7}', raw)
    return span


def _whole(kind: Kind, raw: Any) -> Value:
    if isinstance(raw, bool) or not isinstance(raw, int) or not 0 <= raw <= MOST_ENTRIES:
        raise expected(f"a whole number from 0 to {MOST_ENTRIES:,}", raw)
    return raw


def _weekdays(kind: Kind, raw: Any) -> Value:
    is_list = isinstance(raw, list) and raw
    if not is_list or not all(isinstance(day, str) and day in WEEKDAYS for day in raw):
        raise expected('a list of weekdays such as ["monday", "friday"]', raw)
    return tuple(day for day in WEEKDAYS if day in raw)


def _month_days(kind: Kind, raw: Any) -> Value:
    is_list = isinstance(raw, list) and raw
    if not is_list or not all(type(day) is int and 1 <= day <= 31 for day in raw):
        raise expected("a list of days from 1 to 31, such as [1, 15]", raw)
    return tuple(sorted(set(raw)))


READERS: dict[Takes, Callable[[Kind, Any], Value]] = {
    Takes.ONE: values.read,
    Takes.MANY: _many,
    Takes.PAIR: _pair,
    Takes.PATTERN: lambda kind, raw: values.read_text(raw),
    Takes.WHOLE: _whole,
    Takes.DAY: _day,
    Takes.SPAN: lambda kind, raw: values.read_span(raw),
    Takes.DAYS: _days,
    Takes.WEEKDAYS: _weekdays,
    Takes.MONTH_DAYS: _month_days,
}
