"""One contact walked through a workflow: chosen by name, with what-ifs, step by step with reasons."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_GET

from accounts.models import Organization
from accounts.shell import page, render
from audience import selectors as audience
from audience.models import Contact, EventDefinition
from automations.domain import tree
from automations.models import Automation, Simulation
from automations.selectors import step_sentence
from automations.simulation import flow as flows
from automations.simulation import person, reading, work
from automations.simulation.flow import Flow
from automations.simulation.person import Imagined, Journey
from campaigns.admin.editor import allow_pictures
from campaigns.admin.templates import GMAIL_CLIPS_AT
from common import clock, tenancy
from common.errors import AppError
from delivery import services as delivery

MOST_FOUND = 10
MOST_NAMES = 300


@require_GET
@page("automations")
def walk(request: HttpRequest, pk: int) -> HttpResponse:
    """`?q=` finds contacts; `?contact=&at=&number=&event=&event_at=&answer.<step>=` walks one of them."""
    automation = get_object_or_404(Automation.objects.select_related("current_version"), pk=pk)
    asked = request.GET
    contact = Contact.objects.filter(pk=asked["contact"]).first() if _is_id(asked.get("contact", "")) else None
    words = asked.get("q", "")
    found = list(audience.search(audience.living(), words).order_by("-pk")[:MOST_FOUND]) if words else []
    contact = contact or (found[0] if len(found) == 1 else None)
    told, problem, flow = None, "", None
    try:
        flow = _flow(automation, asked)
        told = _walked(flow, contact, asked) if contact else None
    except AppError as error:
        problem = "; ".join(error.details.values()) or error.message
    context = {
        "title": f"Walk {automation}",
        "automation": automation,
        "contact": contact,
        "found": found if contact is None else [],
        "words": words,
        "at": _moment(asked.get("at", "")) or clock.now(),
        "number": asked.get("number", ""),
        "told": told,
        "problem": problem,
        "questions": _questions(flow, asked) if flow else [],
        "events": list(EventDefinition.objects.order_by("name").values_list("name", flat=True)[:MOST_NAMES]),
        "event": asked.get("event", ""),
        "event_at": asked.get("event_at", ""),
    }
    return render(request, "automations/walk.html", context)


@require_GET
@page("automations")
def message(request: HttpRequest, pk: int) -> HttpResponse:
    """What `?step=` would write to `?contact=` who entered at `?at=`, as the contact would read it."""
    automation = get_object_or_404(Automation.objects.select_related("current_version"), pk=pk)
    asked = request.GET
    if not _is_id(asked.get("contact", "")):
        return HttpResponseRedirect(reverse("automation-walk", args=[pk]))  # nobody was chosen yet
    contact = get_object_or_404(Contact, pk=asked["contact"])
    shown, refusal = None, None
    try:
        at = _moment(asked.get("at", "")) or clock.now()
        shown = reading.written(_flow(automation, asked), asked.get("step", ""), contact, at)
    except AppError as error:
        refusal = error
    context = {
        "title": f"What {contact} would read",
        "automation": automation,
        "contact": contact,
        "written": shown,
        "rendered": shown.mail if shown else None,
        "shown": shown.other if shown else None,
        "channel": delivery.CHANNELS[shown.other.channel] if shown and shown.other else None,
        "bytes": len(shown.mail.html.encode()) if shown and shown.mail else 0,
        "clips_at": GMAIL_CLIPS_AT,
        "refusal": refusal,
        "walk": asked.urlencode(),
    }
    response = render(request, "automations/walk_message.html", context)
    allow_pictures(response)
    return response


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


def _flow(automation: Automation, asked: QueryDict) -> Flow:
    """Of the simulation one comes from, else the draft, else what is published."""
    number = asked.get("number", "")
    row = Simulation.objects.filter(automation=automation, pk=number).first() if _is_id(number) else None
    document = row.document if row else work.document_of(automation)[0]
    return flows.read(document, automation)


def _walked(flow: Flow, contact: Contact, asked: QueryDict) -> Journey:
    answers = {
        name.removeprefix("answer."): value for name, value in asked.items() if name.startswith("answer.") and value
    }
    at = _moment(asked.get("at", "")) or clock.now()
    events: tuple[Imagined, ...] = ()
    if asked.get("event"):
        events = (Imagined(asked["event"], _moment(asked.get("event_at", "")) or at),)
    return person.walk(flow, contact, at, answers=answers, events=events)


def _moment(text: str) -> datetime | None:
    """As browsers send it, in the organisation's zone where it names none."""
    try:
        found = parse_datetime(text)
    except ValueError:
        return None
    if found is None or found.tzinfo is not None:
        return found
    zone = Organization.objects.values_list("timezone", flat=True).get(pk=tenancy.required())
    return found.replace(tzinfo=ZoneInfo(zone))


def _questions(flow: Flow, asked: QueryDict) -> list[dict[str, Any]]:
    """Steps with several ways, each to be answered by hand."""
    return [
        {
            "name": f"answer.{step.id}",
            "sentence": step_sentence(step),
            "branches": list(step.branches),
            "chosen": asked.get(f"answer.{step.id}", ""),
        }
        for step in tree.walk(flow.steps)
        if len(step.branches) > 1 and step.is_active
    ]
