"""When a contact's own clock shows a time: the moments that a snapshot chooses from, by zone.

They are worked out here and not in SQL, because zones come from clients and may be anything, and because a time that
comes twice in autumn counts the first time, which PostgreSQL sees the other way.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, available_timezones

DAY = timedelta(days=1)
HOURS, WEEKDAYS = 24, 7
AROUND_DAYS = 4  # moments are chosen within them
# A contact's own record counts for its people once it outweighs what everybody does: see `priors`.
PRIOR_WEIGHT = 5.0
OTHER_DAY = 0.5  # what was read at that hour on another day of the week
LEAST_TO_KNOW = 50  # opens and clicks before one speaks of an organisation's habit
LATEST = timedelta(hours=24)


class Slot(NamedTuple):
    """An hour to come on a zone's clock; `weekday` 0 is Monday. `prior`: what everybody's habit says for it."""

    zone: str
    hour: int
    weekday: int
    send_at: datetime
    prior: float


@lru_cache(maxsize=1)
def zones() -> tuple[str, ...]:
    """Every zone there is, by name."""
    return tuple(sorted(available_timezones()))


@lru_cache(maxsize=8)
def alike(moment: datetime) -> dict[str, str]:
    """Each zone with the one that stands for it: the first of those whose clocks show the same for days around.

    Six hundred zones show forty times; one that changes its clock in these days stands for itself.
    """
    around = [moment + DAY * days for days in range(-AROUND_DAYS, AROUND_DAYS + 1)]
    first: dict[object, str] = {}
    like = {}
    for zone in zones():
        where = ZoneInfo(zone)
        offsets = {each.astimezone(where).utcoffset() for each in around}
        like[zone] = zone if len(offsets) > 1 else first.setdefault(offsets.pop(), zone)
    return like


def first_at(
    wall: time, zone: str, earliest: datetime, *, day: date | None = None, at_once: bool = False
) -> datetime:
    """When the zone's clock shows `wall`, on `day` (today there) or, where that is before `earliest`, a day later.

    `at_once`: what has passed on that day is sent at `earliest` instead. A time that daylight saving skips is when
    the clock has jumped, one that comes twice is the first.
    """
    where = ZoneInfo(zone)
    today = earliest.astimezone(where).date()
    moment = _moment(day or today, wall, where)
    if moment >= earliest:
        return moment
    if at_once:
        return earliest
    return next(
        later for later in (_moment(today + DAY * ahead, wall, where) for ahead in (0, 1, 2)) if later >= earliest
    )


def by_zone(wall: time, earliest: datetime, *, day: date | None = None, at_once: bool = False) -> list[datetime]:
    """`first_at` for each of `zones()`."""
    like = alike(earliest)
    moments = {zone: first_at(wall, zone, earliest, day=day, at_once=at_once) for zone in set(like.values())}
    return [moments[like[zone]] for zone in zones()]


def hours_ahead(earliest: datetime, habit: Sequence[int]) -> Iterator[Slot]:
    """The 24 hours after `earliest` in every zone, none later than that, each with what `habit` says for it."""
    shares = {weekday: priors(habit, weekday) for weekday in range(WEEKDAYS)}
    like = alike(earliest)
    ahead = {zone: list(_day_ahead(zone, earliest)) for zone in set(like.values())}
    for zone in zones():
        for hour, weekday, send_at in ahead[like[zone]]:
            yield Slot(zone, hour, weekday, send_at, shares[weekday][hour])


def _day_ahead(zone: str, earliest: datetime) -> Iterator[tuple[int, int, datetime]]:
    """Hour, weekday and moment of each hour of the 24 to come."""
    for hour in range(HOURS):
        send_at = min(first_at(time(hour), zone, earliest), earliest + LATEST)
        yield hour, send_at.astimezone(ZoneInfo(zone)).weekday(), send_at


def priors(habit: Sequence[int], weekday: int) -> list[float]:
    """What an organisation's `habit` (opens and clicks by hour of the week, Monday first) is worth for each hour of
    a day, as opens of one contact: that contact's own record is smoothed towards it (a Dirichlet prior of
    PRIOR_WEIGHT opens). Without enough to know a habit from, every hour is alike."""
    if sum(habit) < LEAST_TO_KNOW:
        return [PRIOR_WEIGHT / HOURS] * HOURS
    weighed = [
        sum(habit[day * HOURS + hour] * (1.0 if day == weekday else OTHER_DAY) for day in range(WEEKDAYS))
        for hour in range(HOURS)
    ]
    whole = sum(weighed)
    return [PRIOR_WEIGHT * each / whole for each in weighed]


def _moment(day: date, wall: time, where: ZoneInfo) -> datetime:
    return datetime.combine(day, wall, where).astimezone(UTC)
