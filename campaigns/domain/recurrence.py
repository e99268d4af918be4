"""When a campaign goes out again: the one reading of its `recurrence` JSON, and the dates that follow from it."""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from typing import Any

from common.errors import Invalid

VERSION = 1
EVERY = ("day", "week", "month")
ZONES = ("organization", "contact")
MOST_INTERVAL = {"day": 365, "week": 52, "month": 12}
MOST_RUNS = 10_000
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
# The first clock on earth to show a time; a send by each contact's own clock begins with it.
EARLIEST = timezone(timedelta(hours=14))
DAY = timedelta(days=1)
KEYS = frozenset({"version", "every", "interval", "weekdays", "month_day", "time", "zone", "most_runs"})


@dataclass(frozen=True)
class Recurrence:
    """Every `interval` days, weeks (on `weekdays`, ISO 1–7) or months (on `month_day`, or the month's last), at `at`.

    `zone` says whose clock: the organisation's, or each contact's own.
    """

    every: str
    interval: int
    at: time
    zone: str
    weekdays: tuple[int, ...] = ()
    month_day: int = 1
    most_runs: int | None = None

    def has(self, day: date, first: date) -> bool:
        """Whether `day` is one of the dates counted from `first`."""
        if day < first:
            return False
        if self.every == "day":
            return (day - first).days % self.interval == 0
        if self.every == "week":
            weeks = (_monday(day) - _monday(first)).days // 7
            return weeks % self.interval == 0 and day.isoweekday() in self.weekdays
        months = (day.year - first.year) * 12 + day.month - first.month
        last = calendar.monthrange(day.year, day.month)[1]
        return months % self.interval == 0 and day.day == min(self.month_day, last)

    def moment(self, day: date, home: tzinfo) -> datetime:
        """When the send of `day` begins, in UTC: for contacts' own clocks, where that time comes first on earth.

        A time that daylight saving skips is when the clock has jumped; of one that comes twice it is the first.
        """
        return datetime.combine(day, self.at, EARLIEST if self.zone == "contact" else home).astimezone(UTC)

    def day_of(self, moment: datetime, home: tzinfo) -> date:
        """The date of the send that begins at `moment`."""
        return moment.astimezone(EARLIEST if self.zone == "contact" else home).date()

    def after(self, moment: datetime, first: date, home: tzinfo, *, or_at: bool = False) -> datetime:
        """The first beginning later than `moment` (`or_at`: or at it), in UTC."""
        day = max(first, self.day_of(moment, home) - DAY)
        while True:
            if self.has(day, first):
                begins_at = self.moment(day, home)
                if begins_at > moment or (or_at and begins_at == moment):
                    return begins_at
            day += DAY

    def as_json(self) -> dict[str, Any]:
        """The canonical JSON, as it is stored."""
        return {
            "version": VERSION,
            "every": self.every,
            "interval": self.interval,
            "weekdays": list(self.weekdays),
            "month_day": self.month_day,
            "time": f"{self.at:%H:%M}",
            "zone": self.zone,
            "most_runs": self.most_runs,
        }

    def sentence(self) -> str:
        """`Every 2 weeks on Monday and Thursday at 09:00, by each contact's clock, 10 times.`"""
        unit = self.every if self.interval == 1 else f"{self.interval} {self.every}s"
        on = ""
        if self.every == "week":
            on = " on " + _joined([WEEKDAYS[number - 1] for number in self.weekdays])
        if self.every == "month":
            on = " on the last day" if self.month_day == 31 else f" on day {self.month_day}"
        clock = ", by each contact's clock" if self.zone == "contact" else ""
        times = f", {self.most_runs:,} times" if self.most_runs else ""
        return f"Every {unit}{on} at {self.at:%H:%M}{clock}{times}."


def parse(data: object) -> Recurrence:
    """Read the JSON; raises `Invalid` with a sentence beside each part that is wrong."""
    if not isinstance(data, Mapping):
        raise _wrong({"recurrence": "Say how often, such as {every: week, weekdays: [1], time: 09:00}."})
    wrong = {f"recurrence.{name}": "Unknown part." for name in sorted(set(data) - KEYS)}
    every = data.get("every")
    if every not in EVERY:
        raise _wrong(wrong | {"recurrence.every": f"One of {', '.join(EVERY)}."})
    zone = data.get("zone") or "organization"
    if zone not in ZONES:
        wrong["recurrence.zone"] = f"One of {', '.join(ZONES)}."
    at = _time(data.get("time"), wrong)
    interval = _number(data, "interval", 1, MOST_INTERVAL[every], wrong) or 1
    month_day = _number(data, "month_day", 1, 31, wrong) or 1
    most_runs = _number(data, "most_runs", 1, MOST_RUNS, wrong)
    weekdays = _weekdays(data.get("weekdays") or [], every, wrong)
    if wrong:
        raise _wrong(wrong)
    return Recurrence(every, interval, at, zone, weekdays, month_day, most_runs)


def read_time(text: object) -> time | None:
    """A clock time written as 09:00, in whole minutes; None when it is none."""
    try:
        at = text if isinstance(text, time) else time.fromisoformat(str(text))
    except ValueError:
        return None
    return at if at == at.replace(second=0, microsecond=0, tzinfo=None) else None


def _time(text: object, wrong: dict[str, str]) -> time:
    at = read_time(text)
    if at is None:
        wrong["recurrence.time"] = "A time in whole minutes, such as 09:00."
    return at or time(0)


def _number(data: Mapping[str, Any], name: str, least: int, most: int, wrong: dict[str, str]) -> int | None:
    value = data.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        wrong[f"recurrence.{name}"] = f"A whole number from {least} to {most:,}."
        return None
    return value


def _weekdays(value: object, every: str, wrong: dict[str, str]) -> tuple[int, ...]:
    """ISO weekdays in order; only a weekly send has them, and it needs one."""
    days = value if isinstance(value, list | tuple) else []
    if any(not isinstance(day, int) or isinstance(day, bool) or not 1 <= day <= 7 for day in days):
        wrong["recurrence.weekdays"] = "Numbers from 1 (Monday) to 7 (Sunday)."
        return ()
    if every == "week" and not days:
        wrong["recurrence.weekdays"] = "Choose at least one day of the week."
    return tuple(sorted(set(days))) if every == "week" else ()


def _wrong(details: dict[str, str]) -> Invalid:
    return Invalid("The recurrence cannot be read: " + " ".join(details.values()), details=details)


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _joined(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
