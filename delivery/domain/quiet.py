"""Quiet hours in the contact's own zone, by the clock on their wall."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAY = timedelta(days=1)
SEARCHED_DAYS = 9  # a week of quiet days, and the nights around it


@dataclass(frozen=True)
class Window:
    """Quiet from `start` until `end`; over midnight when `end` is not later.

    `weekdays` (0 is Monday) are the days on which it begins; none means every day. Equal times are a whole day
    where weekdays are named, and no quiet at all where none is.
    """

    start: time
    end: time
    weekdays: frozenset[int] = frozenset()

    @property
    def is_empty(self) -> bool:
        return self.start == self.end and not self.weekdays

    def holds(self, wall: datetime) -> bool:
        """Whether a reading of the clock on the wall (without a zone) lies in the window."""
        clock, day = wall.time(), wall.date()
        if self.is_empty:
            return False
        if self.start < self.end:
            return self._begins(day) and self.start <= clock < self.end
        return (self._begins(day) and clock >= self.start) or (self._begins(day - DAY) and clock < self.end)

    def _begins(self, day: date) -> bool:
        return not self.weekdays or day.weekday() in self.weekdays


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo | None:
    """The zone of this name, or None when there is none. Names come from clients and may be anything."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def resume_at(now: datetime, where: ZoneInfo, windows: Sequence[Window]) -> datetime | None:
    """When it stops being quiet (UTC), or None when it is not quiet at `now`.

    What counts is what the clock on the wall shows: of an hour that comes twice both are as quiet as the window
    says, and an end inside an hour that is skipped is the moment of the skip. Quiet that never ends within nine
    days (windows that fill the week) ends then all the same.
    """
    if not is_quiet(now, where, windows):
        return None
    ends = sorted(
        moment
        for window in windows
        for offset in range(-1, SEARCHED_DAYS)
        for moment in _moments(now.astimezone(where).date() + offset * DAY, window.end, where)
        if moment > now
    )
    return next((moment for moment in ends if not is_quiet(moment, where, windows)), ends[-1])


def is_quiet(moment: datetime, where: ZoneInfo, windows: Sequence[Window]) -> bool:
    wall = moment.astimezone(where).replace(tzinfo=None)
    return any(window.holds(wall) for window in windows)


def fills_the_week(windows: Sequence[Window]) -> bool:
    """Whether there is no minute at which anything could go."""
    monday = datetime(2024, 1, 1, tzinfo=UTC)
    starts = {monday + day * DAY + timedelta(hours=end.hour, minutes=end.minute) for end in {w.end for w in windows}
              for day in range(7)}  # fmt: skip
    return bool(windows) and all(is_quiet(moment, ZoneInfo("UTC"), windows) for moment in starts)


def _moments(day: date, clock: time, where: ZoneInfo) -> list[datetime]:
    """When the wall shows this time on this day: twice when the clocks go back, and when they skip it, the skip."""
    wall = datetime.combine(day, clock, where)
    first, second = (wall.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    if second < first:  # a reading that does not exist: the skip lies between the two readings of it
        return [_skip(second, first, where)]
    return [first, second]


def _skip(low: datetime, high: datetime, where: ZoneInfo) -> datetime:
    """The first whole second after `low` at which another offset holds."""
    before = low.astimezone(where).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = (low + (high - low) / 2).replace(microsecond=0)
        if middle.astimezone(where).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high
