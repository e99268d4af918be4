"""When it is a certain time of day where a contact lives."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from accounts.models import Organization
from audience.models import Contact
from common import tenancy

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def read_time(text: str) -> time | None:
    """`09:30`; None for what is no time of day."""
    try:
        found = time.fromisoformat(text)
    except ValueError:
        return None
    return found if len(text) == 5 and found.tzinfo is None else None


def zones(contact_ids: Sequence[int]) -> dict[int, ZoneInfo]:
    """Where each of these contacts lives: their own zone, else the organisation's. Two queries."""
    home = zone(Organization.objects.values_list("timezone", flat=True).get(pk=tenancy.required())) or ZoneInfo("UTC")
    rows = Contact.objects.filter(pk__in=contact_ids).values_list("pk", "timezone")
    return dict.fromkeys(contact_ids, home) | {pk: zone(name) or home for pk, name in rows}


@cache
def zone(name: str) -> ZoneInfo | None:
    """A zone by its name; None for a name that is none."""
    try:
        return ZoneInfo(name) if name else None
    except (KeyError, ValueError, OSError):
        return None


def moment(day: date, at: time, where: ZoneInfo) -> datetime:
    """When it is this time on this day. One that daylight saving skips is after the jump, of two the first."""
    return datetime.combine(day, at, where).astimezone(UTC)


def following(now: datetime, at: time, weekdays: Sequence[str], where: ZoneInfo) -> datetime:
    """The first such moment that is not before `now`."""
    today = now.astimezone(where).date()
    for ahead in range(9):
        day = today + timedelta(days=ahead)
        if weekdays and WEEKDAYS[day.weekday()] not in weekdays:
            continue
        found = moment(day, at, where)
        if found >= now:
            return found
    raise AssertionError("every weekday comes within eight days")
