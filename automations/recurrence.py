"""Cron expressions: five fields, in a time zone, with daylight saving told apart.

Celery's parser reads the fields. The next moment is ours, because Celery answers in its own zone and takes
day-of-month AND day-of-week where cron(5) takes either.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from celery.schedules import ParseException, crontab_parser
from cron_descriptor import FormatException, get_description

from common.errors import Invalid

# The rarest date there is, 29 February, can be eight years away (1896, 1904).
MOST_DAYS_AHEAD = 8 * 366 + 2


@dataclass(frozen=True)
class Recurrence:
    """The moments of a cron expression."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    is_any_day: bool
    is_any_weekday: bool
    zone: ZoneInfo

    def after(self, moment: datetime) -> datetime:
        """The first moment later than `moment`, in UTC. Raises `Invalid` when there is none (30 February).

        A local time that daylight saving skips happens when the clock has jumped (02:30 becomes 03:30); one
        that occurs twice happens the first time.
        """
        local = moment.astimezone(self.zone)
        for ahead in range(MOST_DAYS_AHEAD):
            day = local.date() + timedelta(days=ahead)
            if self._has(day):
                times = (self._moment(day, hour, minute) for hour in self.hours for minute in self.minutes)
                later = [each for each in times if each > moment]
                if later:
                    return min(later)
        raise Invalid("This schedule never comes: no year has such a day.")

    def turns(self, moment: datetime, count: int) -> list[datetime]:
        """The first `count` moments later than `moment`."""
        found: list[datetime] = []
        while len(found) < count:
            moment = self.after(moment)
            found.append(moment)
        return found

    def _has(self, day: date) -> bool:
        if day.month not in self.months:
            return False
        in_month, in_week = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        if self.is_any_day or self.is_any_weekday:
            return in_month and in_week
        return in_month or in_week

    def _moment(self, day: date, hour: int, minute: int) -> datetime:
        return datetime.combine(day, time(hour, minute), self.zone).astimezone(UTC)


def parse(expression: str, timezone: str) -> Recurrence:
    """Read `minute hour day month weekday`; raises `Invalid` saying which part is wrong."""
    zone = read_zone(timezone)
    parts = expression.split()
    if len(parts) != 5:
        raise _wrong('needs five parts: minute hour day month weekday, such as "0 9 * * mon"')
    minute, hour, day, month, weekday = parts
    return Recurrence(
        minutes=tuple(sorted(_field(minute, "minute", 60, 0))),
        hours=tuple(sorted(_field(hour, "hour", 24, 0))),
        days=frozenset(_field(day, "day", 31, 1)),
        months=frozenset(_field(month, "month", 12, 1)),
        weekdays=frozenset(_field("0" if weekday == "7" else weekday, "weekday", 7, 0)),
        is_any_day=day.startswith("*"),
        is_any_weekday=weekday.startswith("*"),
        zone=zone,
    )


def read_zone(name: str) -> ZoneInfo:
    """A time zone by its IANA name; raises `Invalid`."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        sentence = f'there is no time zone "{name}"; use a name such as Europe/London'
        raise Invalid(f"timezone: {sentence}", details={"timezone": sentence}) from error


def describe(expression: str) -> str:
    """`At 09:00 AM, only on Monday`."""
    try:
        return str(get_description(expression))
    except (FormatException, ValueError, IndexError):
        return expression


def _field(text: str, name: str, size: int, first: int) -> set[int]:
    try:
        found: set[int] = crontab_parser(size, first).parse(text)
    except (ParseException, ValueError) as error:
        raise _wrong(f'cannot read the {name} "{text}": {error}') from error
    if not found:
        raise _wrong(f'the {name} "{text}" is never')
    return found


def _wrong(sentence: str) -> Invalid:
    return Invalid(f"cron: {sentence}", details={"cron": sentence})
