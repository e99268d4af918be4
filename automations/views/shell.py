"""What the pages of one workflow share: whose page it is, the tabs, the days that are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from accounts import shell
from accounts.backends import allowed
from automations.models import Automation

TABS = [
    ("automation-versions", "Versions"),
    ("automation-funnel", "Funnel"),
    ("automation-log", "Log"),
    ("automation-simulations", "Rehearse"),
]


@dataclass(frozen=True)
class Tab:
    title: str
    address: str
    is_current: bool


def find(pk: int) -> Automation:
    """The workflow, or 404."""
    found = Automation.objects.select_related("current_version").filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def render(
    request: HttpRequest, automation: Automation, name: str, template: str, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    """A page about a workflow, with its tabs; `name` is the page's own address."""
    runs = reverse("admin:automations_automationrun_changelist")
    whole = {
        "title": str(automation),
        "automation": automation,
        "tabs": [
            Tab("Workflow", reverse("admin:automations_automation_change", args=[automation.pk]), False),
            *(Tab(title, reverse(tab, args=[automation.pk]), tab == name) for tab, title in TABS),
            Tab("People", f"{runs}?automation__id__exact={automation.pk}", False),
            Tab("What failed", f"{reverse('automation-troubles')}?workflow={automation.pk}", False),
        ],
        "may_write": allowed(request.user, "automations", write=True),
        **context,
    }
    return shell.render(request, template, whole, status=status)


def address(name: str, automation: Automation, **query: object) -> str:
    """A page of this workflow with what is asked in it."""
    said = {key: value for key, value in query.items() if value not in (None, "")}
    place = reverse(name, args=[automation.pk])
    return f"{place}?{urlencode(said)}" if said else place


def number(text: str) -> int | None:
    """A whole number that fits an id, or None."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None


def day(text: str) -> date | None:
    """An ISO day within reason, or None."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if 2000 <= found.year <= 2200 else None


def midnight(found: date | None, *, after: bool = False) -> datetime | None:
    """The start of a day of the organisation's zone, or of the day after it."""
    if found is None:
        return None
    return datetime.combine(found + timedelta(days=int(after)), time(), timezone.get_current_timezone())
