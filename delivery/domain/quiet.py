"""Quiet hours in the contact's own zone."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo | None:
    """The zone of this name, or None when there is none. Names come from clients and may be anything."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def resume_at(now: datetime, where: ZoneInfo, start: time, end: time) -> datetime | None:
    """When the quiet hours that hold `now` end (UTC), or None when it is not quiet.

    `start` may be later than `end` (over midnight); equal means no quiet hours. Wall-clock times that a change
    of the clocks skips end at the first moment after the gap; those it repeats end at the next repetition.
    """
    local = now.astimezone(where)
    wall = local.time().replace(tzinfo=None)
    if start < end:
        is_quiet = start <= wall < end
    else:
        is_quiet = start != end and (wall >= start or wall < end)
    if not is_quiet:
        return None
    day = local.date() + timedelta(days=1 if start > end and wall >= start else 0)
    ends = [datetime.combine(day, end, where).replace(fold=fold).astimezone(UTC) for fold in (0, 1)]
    return next((moment for moment in ends if moment > now), None)
