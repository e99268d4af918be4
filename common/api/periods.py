"""`from`, `until` and `days` of a report's address."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta

from django.utils.dateparse import parse_date, parse_datetime
from drf_spectacular.utils import OpenApiParameter

from common import clock, periods
from common.errors import Invalid
from common.periods import Period

DEFAULT_DAYS = 30
MOST_DAYS = 3660
FIRST_YEAR, LAST_YEAR = 1900, 9000  # sums with spans and time zones stay within what datetime holds

PARAMETERS = [
    OpenApiParameter("from", str, description="Start of the period: a day or a moment (ISO 8601, UTC unless said)."),
    OpenApiParameter("until", str, description="End of the period, not included; a day means its end. Default: now."),
    OpenApiParameter("days", int, description=f"Instead of `from`: the days before `until`. Default {DEFAULT_DAYS}."),
]


def read(query: Mapping[str, str]) -> Period:
    """The period a request asks for; raises `Invalid` naming the parameter."""
    until = _moment(query, "until", is_end=True) or clock.now() + timedelta(microseconds=1)
    start = _moment(query, "from", is_end=False) or until - timedelta(days=_days(query.get("days", "")))
    return periods.between(start, until)


def _moment(query: Mapping[str, str], name: str, *, is_end: bool) -> datetime | None:
    text = query.get(name, "").strip()
    if not text:
        return None
    try:
        day = parse_date(text)
        moment = parse_datetime(text)
    except ValueError:  # well formed, and no such day
        day = moment = None
    said = day or moment
    if said is None or not FIRST_YEAR <= said.year <= LAST_YEAR:
        raise Invalid("The period is wrong.", details={name: "Write a day or a moment, like 2027-01-31."})
    if day is not None:
        return datetime.combine(day, time.min, UTC) + timedelta(days=1 if is_end else 0)
    assert moment is not None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _days(text: str) -> int:
    if not text:
        return DEFAULT_DAYS
    if not text.isascii() or not text.isdigit() or len(text) > 9 or not 0 < int(text) <= MOST_DAYS:
        raise Invalid("The period is wrong.", details={"days": f"A number from 1 to {MOST_DAYS}."})
    return int(text)
