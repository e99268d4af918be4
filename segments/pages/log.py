"""Who entered and left, with filters and cursor pages."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from segments.insight import movements
from segments.insight.movements import CHANGES, Wanted
from segments.models import Segment
from segments.pages import shell


def log(request: HttpRequest, segment: Segment) -> HttpResponse:
    """The log; `since` and `until` are whole days of the organisation's zone."""
    asked = request.GET
    since, until = _day(asked.get("since", "")), _day(asked.get("until", ""))
    change = asked.get("change", "")
    contact = shell.number(asked.get("contact", ""))
    wanted = Wanted(
        tuple(known for known in CHANGES if change in ("", known)) or CHANGES,
        _midnight(since),
        _midnight(until + timedelta(days=1)) if until else None,
        contact,
    )
    page = movements.page(segment, wanted, asked.get("cursor", ""))
    query = {"change": change, "since": since, "until": until, "contact": contact}
    context = {
        "movements": page.movements,
        "older": shell.address(segment, "log", **query, cursor=page.older) if page.older else "",
        "newer": shell.address(segment, "log", **query, cursor=page.newer) if page.newer else "",
        "asked": query,
        "is_filtered": any(query.values()),
        "unfiltered": shell.address(segment, "log"),
    }
    return shell.render(request, segment, "log", context)


def _day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if 2000 <= found.year <= 2200 else None


def _midnight(day: date | None) -> datetime | None:
    return datetime.combine(day, time(), timezone.get_current_timezone()) if day else None
