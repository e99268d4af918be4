"""The page that tells what a workflow can start on and do."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from automations import catalogue
from automations.models import Automation

TYPES = {
    "long_text": "text of several lines",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "yes or no",
    "choice": "one of",
    "choices": "some of",
    "span": "days, hours, minutes, seconds",
    "time": "a time of day",
    "date": "a date",
    "day": "a number of days from the step, or a date",
    "cron": "a cron expression",
    "rule": "a rule about the contact",
    "rules_where": "filters of the event's properties",
    "members": "colleagues",
    "member": "a colleague",
    "tag": "a tag",
    "event": "the name of an event",
    "attribute": "an attribute of the contact",
    "json": "any JSON value",
    "list": "a list, each with",
    "object": "an object with",
    "text": "text",
}


def urls(page: admin.ModelAdmin[Any]) -> list[URLPattern]:
    """The page's address, below that of the workflows."""

    def view(request: HttpRequest) -> HttpResponse:
        if not page.has_view_permission(request):
            raise PermissionDenied
        told = catalogue.describe()
        context = {
            **page.admin_site.each_context(request),
            "title": "What a workflow can start on and do",
            "opts": Automation._meta,
            "halves": [
                ("Starts", "What can start a workflow", "trigger_type", _groups(told["triggers"])),
                ("Steps", "What a workflow can do", "action_type", _groups(told["steps"])),
            ],
        }
        return TemplateResponse(request, "automations/catalogue.html", context)

    return [path("catalogue/", page.admin_site.admin_view(view), name="automations_automation_catalogue")]


def _groups(kinds: list[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    """Kinds by their group, in the order in which the groups are met."""
    found: dict[str, list[dict[str, Any]]] = {}
    for kind in kinds:
        found.setdefault(kind["group"], []).append(_shown(kind))
    return list(found.items())


def _shown(kind: dict[str, Any]) -> dict[str, Any]:
    example = json.dumps(kind["example"], indent=2, ensure_ascii=False)
    return kind | {"rows": [_row(field) for field in kind["fields"]], "example": example}


def _row(field: dict[str, Any]) -> dict[str, Any]:
    said = TYPES.get(field["type"], f"one of your {field['type']}s")
    if field["type"] in ("choice", "choices"):
        said = f"{said}: {', '.join(str(one['value']) for one in field['choices'])}"
    if field["fields"]:
        said = f"{said} {', '.join(inner['name'] for inner in field['fields'])}"
    return field | {"said": said, "shown_name": field["name"] or "days, hours, minutes, seconds"}
