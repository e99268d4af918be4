"""A span of time, from its start to just before its end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from common import clock
from common.errors import Invalid

LONGEST = timedelta(days=3660)


@dataclass(frozen=True)
class Period:
    """From `starts_at` (included) to `ends_at` (not included); both aware."""

    starts_at: datetime
    ends_at: datetime

    @property
    def first_day(self) -> date:
        """The UTC day in which the period starts."""
        return self.starts_at.astimezone(UTC).date()

    @property
    def last_day(self) -> date:
        """The UTC day of the period's last moment."""
        return (self.ends_at.astimezone(UTC) - timedelta(microseconds=1)).date()

    @property
    def days(self) -> float:
        return (self.ends_at - self.starts_at) / timedelta(days=1)

    def previous(self) -> Period:
        """The period of the same length right before this one, to compare with."""
        return Period(self.starts_at - (self.ends_at - self.starts_at), self.starts_at)


def last_days(days: int) -> Period:
    """The last `days` times 24 hours, up to and including this moment."""
    end = clock.now() + timedelta(microseconds=1)
    return Period(end - timedelta(days=days), end)


def between(starts_at: datetime, ends_at: datetime) -> Period:
    """A checked period; raises `Invalid` when it is empty, runs backwards or is longer than ten years."""
    if ends_at <= starts_at:
        raise Invalid("The period ends before it starts.", details={"until": "Must be later than `from`."})
    if ends_at - starts_at > LONGEST:
        raise Invalid("The period is longer than ten years.", details={"from": "Choose a later start."})
    return Period(starts_at, ends_at)
