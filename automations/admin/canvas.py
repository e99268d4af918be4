"""What the canvas reads of its pages: the workspace where a flow is written, the picture with numbers, and files."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from automations import catalogue
from automations.models import Automation, AutomationVersion
from automations.selectors.flows import flow_of_version, sentences
from automations.services import drafts, files
from common.api import parsers
from common.errors import AppError, Invalid, TooLarge
from segments import builder

MOST_VERSIONS = 50
API = "/api/v1/automations/"


def editor(request: HttpRequest, automation: Automation, context: dict[str, Any]) -> HttpResponse:
    """The workspace; `context` is the shell's."""
    standing = drafts.standing(automation)
    context |= {
        "title": str(automation),
        "automation": automation,
        "has_draft": standing.has_draft,
        "page": editor_page(automation, standing) | {"choose": request.GET.get("card", "")},
        "rules": builder.page(),
    }
    return TemplateResponse(request, "automations/editor.html", context)


def editor_page(automation: Automation, standing: drafts.Standing) -> dict[str, Any]:
    """What static/automations/workflow-canvas.js reads where it edits."""
    own = f"{API}{automation.pk}/"
    page = "admin:automations_automation_{}"
    return {
        "id": automation.pk,
        "description": automation.description,
        "version": standing.version,
        "revision": standing.revision,
        "has_draft": standing.has_draft,
        "changed_at": standing.changed_at,
        "flow": standing.flow,
        "catalogue": catalogue.describe(),
        "addresses": {
            "draft": f"{own}draft/",
            "sketch": f"{API}sketch/",
            **_rows(automation),
            "read_file": f"{API}read-file/",
            "export": f"{own}export/?draft=true",
            "numbers": f"{own}picture/" if standing.version else None,
            "publish": reverse("automation-publish", args=[automation.pk]),
            "settings": reverse(page.format("change"), args=[automation.pk]),
            "template": reverse("admin:campaigns_emailtemplate_change", args=[0]),
        },
    }


def picture_page(automation: Automation, version: AutomationVersion) -> dict[str, Any]:
    """What the same element reads where it shows numbers only."""
    flow = flow_of_version(version)
    told = catalogue.describe()
    numbers = automation.versions.order_by("-number").values_list("number", flat=True)[:MOST_VERSIONS]
    return {
        "id": automation.pk,
        "version": version.number,
        "versions": [{"number": number, "label": _label(number, version.number)} for number in numbers],
        "flow": flow,
        "sentences": sentences(flow),
        # Only what is drawn: names, pictures and branches of the kinds.
        "catalogue": told | {half: [_brief(kind) for kind in told[half]] for half in ("triggers", "steps")},
        "addresses": {
            "numbers": f"{API}{automation.pk}/picture/",
            "picture": f"{API}{automation.pk}/picture/",
            **_rows(automation),
        },
    }


def _rows(automation: Automation) -> dict[str, str]:
    """Where the numbers beside the cards lead, and where a rehearsal is asked for."""
    return {
        "simulations": f"{API}{automation.pk}/simulations/",
        "rehearsals": reverse("automation-simulations", args=[automation.pk]),
        "log": reverse("automation-log", args=[automation.pk]),
        "funnel": reverse("automation-funnel", args=[automation.pk]),
    }


def _label(number: int, current: int) -> str:
    return f"Version {number}, which people enter" if number == current else f"Version {number}"


def _brief(kind: dict[str, Any]) -> dict[str, Any]:
    own = kind["branches"]["from"]
    fields = [field for field in kind["fields"] if field["name"] == own]
    return {key: kind[key] for key in ("type", "label", "branches")} | {"fields": fields, "doc": "", "group": ""}


def bring(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """A new workflow out of a file: chosen, read, and told what is missing here."""
    refusal: AppError | None = None
    if request.method == "POST":
        try:
            made = files.import_file(_uploaded(request))
        except AppError as error:
            refusal = error
        else:
            return HttpResponseRedirect(reverse("admin:automations_automation_editor", args=[made.pk]))
    context |= {"title": "Bring a workflow from a file", "refusal": refusal}
    status = 200 if refusal is None else refusal.http_status
    return TemplateResponse(request, "automations/import.html", context, status=status)


def _uploaded(request: HttpRequest) -> Any:
    file = request.FILES.get("file")
    if file is None:
        raise Invalid("Choose a file first.")
    if file.size is not None and file.size > parsers.MOST_BYTES:
        raise TooLarge("The file is larger than 2 MB, which no workflow is.")
    return parsers.decode(file.read())
