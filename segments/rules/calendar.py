"""SQL of the operators on dates that follow the clock or the calendar where the contact lives.

Days are days in the contact's time zone. The first moment of a day is found to the microsecond also where clocks
change at midnight: a time that exists twice is its first, one that does not exist is the moment after the gap.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from segments.rules import comparisons
from segments.rules.operands import Operand
from segments.rules.parameters import NOW, Parameters

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
# No zone is further from UTC than this, now or in the past: beyond it a day is before or after everywhere.
FURTHEST = timedelta(hours=16)
# Over `day`, `today` and `years` of _counted: the anniversary of this year, whether it is today, and the one to come.
THIS_YEARS = "(day + years * interval '1 year')::date"
IS_TODAY = f"(years > 0 AND {THIS_YEARS} = today)"
NEXT = f"""(CASE WHEN years > 0 AND {THIS_YEARS} > today THEN {THIS_YEARS}
  ELSE (day + greatest(1, years + 1) * interval '1 year')::date END)"""
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
    """What is past is asked for once: of most rules' dates it is the most."""
    span = parameters.bind(value, "interval")
    return (
        f"CASE WHEN {operand.sql} <= {NOW} THEN NULL "
        f"WHEN {operand.sql} > {NOW} + {span} THEN {operand.sql} - {span} ELSE {operand.sql} END"
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
    return _is_among(f"extract(isodow FROM {operand.day})", [WEEKDAYS.index(name) + 1 for name in value], parameters)


def day_of_month(operand: Operand, value: tuple[int, ...], parameters: Parameters) -> str:
    return _is_among(f"extract(day FROM {operand.day})", value, parameters)


def _is_among(number: str, wanted: Iterable[int], parameters: Parameters) -> str:
    """By bits: around `= ANY(…)` PostgreSQL 18 does not hash the list of zones inside, ten times slower."""
    mask = sum(1 << item for item in wanted)
    return f"(1::bigint << {number}::int) & {parameters.bind(mask, 'bigint')} <> 0"


def anniversary(operand: Operand, value: Any, parameters: Parameters) -> str:
    """The first is a year later. PostgreSQL adds years so that 29 February becomes the 28th in common years."""
    return f"({_counted(operand, IS_TODAY)})"


def anniversary_flips(operand: Operand, value: Any, parameters: Parameters) -> str:
    """Until today is over, or until the next one comes."""
    return _begin_of(operand, f"CASE WHEN {IS_TODAY} THEN today + 1 ELSE {NEXT} END")


def anniversary_in_next(operand: Operand, value: timedelta, parameters: Parameters) -> str:
    """Today does not count: it is `anniversary`."""
    days = parameters.bind(value.days, "int")
    return f"({_counted(operand, f'{NEXT} - today <= {days}')})"


def anniversary_in_next_flips(operand: Operand, value: timedelta, parameters: Parameters) -> str:
    """Until it comes, or until it is near enough."""
    days = parameters.bind(value.days, "int")
    return _begin_of(operand, f"CASE WHEN {NEXT} - today <= {days} THEN {NEXT} ELSE {NEXT} - {days} END")


def _counted(operand: Operand, columns: str) -> str:
    """A SELECT of expressions over `day` (the date), `today` at home, and `years` between the two.

    Step by step, and OFFSET 0 keeps PostgreSQL from folding the steps: each conversion is done once.
    """
    return f"""SELECT {columns} FROM (
      SELECT day, today, (extract(year FROM today) - extract(year FROM day))::int AS years
      FROM (SELECT {operand.day} AS day, ({NOW} AT TIME ZONE {operand.zone})::date AS today OFFSET 0) days
      OFFSET 0) counted"""


def _begin_of(operand: Operand, day: str) -> str:
    """The first moment of a day. Of two equal times PostgreSQL takes the second, so look an hour earlier too."""
    start = f"(chosen::timestamp AT TIME ZONE {operand.zone})"
    earlier = "(start - interval '1 hour')"
    return f"""(SELECT CASE WHEN ({earlier} AT TIME ZONE {operand.zone})::date = chosen THEN {earlier} ELSE start END
      FROM (SELECT chosen, {start} AS start FROM ({_counted(operand, f"{day} AS chosen")} OFFSET 0) choice
            WHERE chosen < {LAST_DAY} OFFSET 0) started)"""
