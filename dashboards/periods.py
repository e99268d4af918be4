"""The stretch of time a board looks at, picked in its address, in whole days of the organisation's zone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from accounts.models import Organization
from common import clock, tenancy
from common.periods import LONGEST, Period

CHOICES = {"7d": ("7 days", 7), "30d": ("30 days", 30), "90d": ("90 days", 90), "365d": ("12 months", 365)}
DEFAULT = "30d"


@dataclass(frozen=True)
class Picked:
    """`span` for selectors; days as people read them."""

    name: str
    title: str
    span: Period
    first_day: date
    last_day: date

    @property
    def query(self) -> str:
        """This choice as it stands in an address."""
        if self.name == "custom":
            return f"from={self.first_day.isoformat()}&to={self.last_day.isoformat()}"
        return f"period={self.name}"


def organization() -> Organization:
    """The organisation this page is for."""
    return Organization.objects.get(pk=tenancy.required())


def read(words: Mapping[str, str], place: Organization) -> Picked:
    """What an address asks for (`period=30d`, or `from=` and `to=`); the default where it makes no sense."""
    zone = ZoneInfo(place.timezone)
    today = clock.now().astimezone(zone).date()
    first, last = _day(words.get("from")), _day(words.get("to"))
    if first and last and first <= last and last - first < LONGEST:
        return _between("custom", "Chosen days", first, last, zone)
    name = words.get("period", DEFAULT)
    name = name if name in CHOICES else DEFAULT
    title, days = CHOICES[name]
    return _between(name, f"Last {title}", today - timedelta(days=days - 1), today, zone)


def _between(name: str, title: str, first: date, last: date, zone: ZoneInfo) -> Picked:
    span = Period(midnight(first, zone), midnight(last + timedelta(days=1), zone))
    return Picked(name, title, span, first, last)


def _day(text: str | None) -> date | None:
    try:
        found = date.fromisoformat(text or "")
    except ValueError:
        return None
    return found if 2000 <= found.year <= 2200 else None


def midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, zone)


def months(place: Organization, count: int = 6) -> list[Period]:
    """The last `count` calendar months, oldest first; the running one is the last."""
    zone = ZoneInfo(place.timezone)
    today = clock.now().astimezone(zone).date()
    starts = [today.replace(day=1)]
    for _ in range(count - 1):
        starts.append((starts[-1] - timedelta(days=1)).replace(day=1))
    ends = [(starts[0] + timedelta(days=32)).replace(day=1), *starts]
    pairs = list(zip(starts, ends, strict=False))
    return [Period(midnight(start, zone), midnight(end, zone)) for start, end in reversed(pairs)]


def so_far_last_month(place: Organization) -> Period:
    """Last month up to the point this month has reached: the fair comparison."""
    last, running = months(place, 2)
    return Period(last.starts_at, min(last.starts_at + (clock.now() - running.starts_at), last.ends_at))
