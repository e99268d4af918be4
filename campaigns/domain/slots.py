"""When a contact's own clock shows a time: the moments that a snapshot chooses from, by zone.

They are worked out here and not in SQL, because zones come from clients and may be anything, and because a time that
comes twice in autumn counts the first time, which PostgreSQL sees the other way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
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
def alike(first: datetime, last: datetime) -> dict[str, str]:
    """Each zone with the one that stands for it from days before `first` to days after `last`: the first by name of
    those that show the same time. One that changes its clock meanwhile stands for itself.

    Six hundred zones show forty times, and what is chosen by zone is worked out and joined for these.
    """
    days = (last - first).days + AROUND_DAYS
    around = [first + DAY * each for each in range(-AROUND_DAYS, days + 1)]
    standing: dict[timedelta | None, str] = {}
    like = {}
    for zone in zones():
        offsets = {each.astimezone(ZoneInfo(zone)).utcoffset() for each in around}
        like[zone] = zone if len(offsets) > 1 else standing.setdefault(offsets.pop(), zone)
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


def hours_ahead(earliest: datetime, habit: Sequence[int], among: Iterable[str]) -> Iterator[Slot]:
    """The 24 hours after `earliest` in each zone, none later than that, each with what `habit` says for it."""
    shares = {weekday: priors(habit, weekday) for weekday in range(WEEKDAYS)}
    for zone in among:
        for hour, weekday, send_at in _day_ahead(zone, earliest):
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
