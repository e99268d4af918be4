"""Days as an organisation counts them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from accounts.models import Organization
from common import clock, tenancy


def zone() -> ZoneInfo:
    """The current organisation's time zone."""
    return ZoneInfo(Organization.objects.get(pk=tenancy.required()).timezone)


def today(now: datetime | None = None) -> date:
    """The day it is in the current organisation's zone."""
    return (now or clock.now()).astimezone(zone()).date()


def next_monday(day: date) -> date:
    """The first Monday after a day."""
    return day + timedelta(days=7 - day.weekday())
