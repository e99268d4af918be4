"""The stretch of time a board looks at, and the one before it to compare with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from accounts.models import Organization
from common import clock, tenancy

CHOICES = {"7d": ("7 days", 7), "30d": ("30 days", 30), "90d": ("90 days", 90), "365d": ("12 months", 365)}
DEFAULT = "30d"
LONGEST_DAYS = 3660


@dataclass(frozen=True)
class Period:
    """From the start of one day until the end of another, both in the organisation's zone."""

    name: str
    title: str
    starts_at: datetime
    ends_at: datetime
    first_day: date
    last_day: date

    @property
    def before(self) -> tuple[datetime, datetime]:
        """The stretch of the same length just before."""
        return self.starts_at - (self.ends_at - self.starts_at), self.starts_at

    @property
    def query(self) -> str:
        """This period as it stands in an address."""
        if self.name == "custom":
            return f"from={self.first_day.isoformat()}&to={self.last_day.isoformat()}"
        return f"period={self.name}"


def organization() -> Organization:
    """The organisation this page is for."""
    return Organization.objects.get(pk=tenancy.required())


def read(words: dict[str, str], place: Organization) -> Period:
    """The period an address asks for (`period=30d`, or `from=` and `to=`); the default when it makes no sense."""
    zone = ZoneInfo(place.timezone)
    today = clock.now().astimezone(zone).date()
    first, last = _day(words.get("from")), _day(words.get("to"))
    if first and last and first <= last and (last - first).days < LONGEST_DAYS:
        return _between("custom", f"{first:%-d %b %Y} – {last:%-d %b %Y}", first, last, zone)
    name = words.get("period", DEFAULT)
    title, days = CHOICES.get(name, CHOICES[DEFAULT])
    name = name if name in CHOICES else DEFAULT
    return _between(name, f"Last {title}", today - timedelta(days=days - 1), today, zone)


def _between(name: str, title: str, first: date, last: date, zone: ZoneInfo) -> Period:
    starts_at = datetime.combine(first, time.min, zone)
    ends_at = datetime.combine(last + timedelta(days=1), time.min, zone)
    return Period(name, title, starts_at, ends_at, first, last)


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        return None


def months(place: Organization, count: int = 6) -> list[tuple[str, datetime, datetime]]:
    """The last `count` calendar months, the running one last: name, start, end."""
    zone = ZoneInfo(place.timezone)
    today = clock.now().astimezone(zone).date()
    found = []
    year, month = today.year, today.month
    for _ in range(count):
        start = date(year, month, 1)
        end = date(year + month // 12, month % 12 + 1, 1)
        found.append((f"{start:%b %Y}", _midnight(start, zone), _midnight(end, zone)))
        year, month = (year - 1, 12) if month == 1 else (year, month - 1)
    return found[::-1]


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, zone)
