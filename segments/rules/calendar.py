"""SQL of the operators on dates that follow the clock or the calendar where the contact lives.

Days are days in the contact's time zone. The first moment of a day is found to the microsecond also where clocks
change at midnight: a time that exists twice is its first, one that does not exist is the moment after the gap.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from segments.rules import comparisons
from segments.rules.operands import Operand
from segments.rules.parameters import NOW, Parameters

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
# No zone is further from UTC than this, now or in the past: beyond it a day is before or after everywhere.
FURTHEST = timedelta(hours=16)
LAST_DAY = "date '9999-12-01'"  # Python knows no moment much later


def in_last(operand: Operand, value: timedelta, parameters: Parameters) -> str:
    # `now - span < x` and `x + span > now` agree to the microsecond: the session is in UTC.
    return f"{operand.sql} > {NOW} - {parameters.bind(value, 'interval')} AND {operand.sql} <= {NOW}"


def in_last_flips(operand: Operand, value: timedelta, parameters: Parameters) -> str:
    span = parameters.bind(value, "interval")
    return (
        f"CASE WHEN {operand.sql} > {NOW} THEN {operand.sql} "
        f"WHEN {operand.sql} > {NOW} - {span} THEN {operand.sql} + {span} END"
    )


def more_than_ago(operand: Operand, value: timedelta, parameters: Parameters) -> str:
    """Begins at the moment at which `in_last` ends."""
    return f"{operand.sql} <= {NOW} - {parameters.bind(value, 'interval')}"


def in_next(operand: Operand, value: timedelta, parameters: Parameters) -> str:
    return f"{operand.sql} > {NOW} AND {operand.sql} <= {NOW} + {parameters.bind(value, 'interval')}"


def in_next_flips(operand: Operand, value: timedelta, parameters: Parameters) -> str:
    span = parameters.bind(value, "interval")
    return (
        f"CASE WHEN {operand.sql} > {NOW} + {span} THEN {operand.sql} - {span} "
        f"WHEN {operand.sql} > {NOW} THEN {operand.sql} END"
    )


def before(operand: Operand, value: Any, parameters: Parameters) -> str:
    return _beside(operand, value, parameters, "<")


def after(operand: Operand, value: Any, parameters: Parameters) -> str:
    """After a day is after its end."""
    return _beside(operand, value, parameters, ">")


def _beside(operand: Operand, value: Any, parameters: Parameters, sign: str) -> str:
    """Only what lies near the day is worth a look at the zone."""
    if not comparisons.is_whole_day(value):
        return f"{operand.sql} {sign} {parameters.bind(value, 'timestamptz')}"
    first, last = _bounds(value, parameters)
    is_before = "true" if sign == "<" else "false"
    is_after = "false" if sign == "<" else "true"
    return (
        f"CASE WHEN {operand.sql} < {first} THEN {is_before} WHEN {operand.sql} >= {last} THEN {is_after} "
        f"ELSE {operand.day} {sign} {parameters.bind(value, 'date')} END"
    )


def on(operand: Operand, value: date, parameters: Parameters) -> str:
    first, last = _bounds(value, parameters)
    near_by = f"{operand.sql} >= {first} AND {operand.sql} < {last}"
    return f"{near_by} AND {operand.day} = {parameters.bind(value, 'date')}"


def _bounds(day: date, parameters: Parameters) -> tuple[str, str]:
    """Moments before which, and from which on, it is not this day anywhere."""
    first = comparisons.moment(day)
    return (
        parameters.bind(first - FURTHEST, "timestamptz"),
        parameters.bind(first + timedelta(days=1) + FURTHEST, "timestamptz"),
    )


def weekday(operand: Operand, value: tuple[str, ...], parameters: Parameters) -> str:
    days = parameters.bind([WEEKDAYS.index(name) + 1 for name in value], "int[]")
    return f"extract(isodow FROM {operand.day})::int = ANY({days})"


def day_of_month(operand: Operand, value: tuple[int, ...], parameters: Parameters) -> str:
    return f"extract(day FROM {operand.day})::int = ANY({parameters.bind(list(value), 'int[]')})"


def anniversary(operand: Operand, value: Any, parameters: Parameters) -> str:
    """The first is a year later. PostgreSQL adds years so that 29 February becomes the 28th in common years."""
    return _looked_at(operand, "years > 0 AND (day + years * interval '1 year')::date = today")


def anniversary_flips(operand: Operand, value: Any, parameters: Parameters) -> str:
    """Until today is over, or until the next one comes."""
    is_today = "(years > 0 AND (day + years * interval '1 year')::date = today)"
    day = f"(CASE WHEN {is_today} THEN today + 1 ELSE next END)"
    return _looked_at(operand, f"CASE WHEN {day} < {LAST_DAY} THEN {_first_moment(day, operand.zone)} END")


def anniversary_in_next(operand: Operand, value: timedelta, parameters: Parameters) -> str:
    """Today does not count: it is `anniversary`."""
    return _looked_at(operand, f"next - today <= {parameters.bind(value.days, 'int')}")


def anniversary_in_next_flips(operand: Operand, value: timedelta, parameters: Parameters) -> str:
    """Until it comes, or until it is near enough."""
    days = parameters.bind(value.days, "int")
    day = f"(CASE WHEN next - today <= {days} THEN next ELSE next - {days} END)"
    return _looked_at(operand, f"CASE WHEN {day} < {LAST_DAY} THEN {_first_moment(day, operand.zone)} END")


def _looked_at(operand: Operand, answer: str) -> str:
    """An expression over `day` (the date), `today`, `years` between the two, and `next`: the anniversary to come.

    OFFSET 0 keeps PostgreSQL from putting the whole date in each place that names it.
    """
    return f"""(SELECT {answer} FROM (
      SELECT day, today, years, (day + greatest(1, years + CASE
          WHEN (day + years * interval '1 year')::date > today THEN 0 ELSE 1 END) * interval '1 year')::date AS next
      FROM (SELECT day, today, (extract(year FROM today) - extract(year FROM day))::int AS years
            FROM (SELECT {operand.day} AS day, ({NOW} AT TIME ZONE {operand.zone})::date AS today OFFSET 0) read
            OFFSET 0) counted OFFSET 0) looked_at)"""


def _first_moment(day: str, zone: str) -> str:
    """PostgreSQL takes the second of two equal times; an hour earlier it may be this day already."""
    start = f"(({day})::timestamp AT TIME ZONE {zone})"
    earlier = f"({start} - interval '1 hour')"
    return f"CASE WHEN ({earlier} AT TIME ZONE {zone})::date = {day} THEN {earlier} ELSE {start} END"
