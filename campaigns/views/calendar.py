"""The calendar of campaigns: a month or a week in the organisation's zone."""

from __future__ import annotations

import calendar as dates
from dataclasses import dataclass, field
from datetime import date, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from accounts.backends import allowed
from accounts.models import Organization
from accounts.shell import page, render
from campaigns.selectors.calendar import Entry, calendar
from common import clock

SHOWN_A_DAY = 4  # of a month; a week shows them all
WEEK = timedelta(days=7)
DAY = timedelta(days=1)


@dataclass
class Day:
    """A day and what happens on it; `more` are left out, `running` are offers that stand since before."""

    date: date
    is_today: bool
    is_other_month: bool
    entries: list[Entry] = field(default_factory=list)
    running: list[Entry] = field(default_factory=list)
    more: int = 0
    new: str = ""
    week: str = ""

    @property
    def is_empty(self) -> bool:
        return not self.entries and not self.running


@page("campaigns")
def calendar_page(request: HttpRequest) -> HttpResponse:
    """`?view=month|week&day=2026-11-22`; anything else shows this month."""
    zone = ZoneInfo(Organization.objects.get().timezone)
    today = clock.now().astimezone(zone).date()
    view = "week" if request.GET.get("view") == "week" else "month"
    day = _day(request.GET.get("day", "")) or today
    first, last = _span(view, day)
    days = _filled(calendar(first, last), first, last, zone, today, day.month if view == "month" else None)
    before, after = (first - DAY, last + DAY) if view == "week" else _neighbours(day)
    context = {
        "title": "Campaign calendar",
        "view": view,
        "heading": f"{first:%-d %b} to {last:%-d %b %Y}" if view == "week" else f"{day:%B %Y}",
        "weekdays": list(dates.day_name),
        "days": days,
        "zone": zone.key,
        "may_write": allowed(request.user, "campaigns", write=True),
        "links": {
            "before": _address(view, before), "after": _address(view, after), "today": _address(view, today),
            "month": _address("month", day), "week": _address("week", day),
        },
        "conflicts": sum(bool(entry.rivals) for one in days for entry in one.entries),
    }  # fmt: skip
    return render(request, "campaigns/calendar.html", context)


def _span(view: str, day: date) -> tuple[date, date]:
    """Whole weeks, from Monday to Sunday."""
    if view == "week":
        first = day - timedelta(days=day.weekday())
        return first, first + WEEK - DAY
    start = day.replace(day=1)
    end = day.replace(day=dates.monthrange(day.year, day.month)[1])
    return start - timedelta(days=start.weekday()), end + timedelta(days=6 - end.weekday())


def _neighbours(day: date) -> tuple[date, date]:
    start = day.replace(day=1)
    return (start - DAY).replace(day=1), (start + timedelta(days=32)).replace(day=1)


def _filled(
    entries: list[Entry], first: date, last: date, zone: ZoneInfo, today: date, month: int | None
) -> list[Day]:
    by_day: dict[date, list[Entry]] = {}
    for entry in entries:
        by_day.setdefault(entry.starts_at.astimezone(zone).date(), []).append(entry)
    offers = [entry for entry in entries if entry.kind == "offer"]
    most = SHOWN_A_DAY if month is not None else len(entries)
    add = reverse("admin:campaigns_campaign_add")
    days = []
    for number in range((last - first).days + 1):
        at = first + timedelta(days=number)
        begun = by_day.get(at, [])
        days.append(
            Day(
                at,
                at == today,
                month is not None and at.month != month,
                begun[:most],
                [entry for entry in offers if _stands(entry, at, zone, today)][:most],
                max(0, len(begun) - most),
                f"{add}?{urlencode({'day': at.isoformat()})}" if at >= today else "",
                _address("week", at),
            )
        )
    return days


def _stands(offer: Entry, day: date, zone: ZoneInfo, today: date) -> bool:
    """Whether an offer that began earlier still stands on this day; one without an end, up to today."""
    last = offer.ends_at.astimezone(zone).date() if offer.ends_at else today
    return offer.starts_at.astimezone(zone).date() < day <= last


def _address(view: str, day: date) -> str:
    return f"{reverse('campaign-calendar')}?{urlencode({'view': view, 'day': day.isoformat()})}"


def _day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if 2000 <= found.year <= 2200 else None
