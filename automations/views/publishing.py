"""Versions of a workflow: what became of whom in each, and publishing with the people inside in view."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode

from accounts.shell import page
from automations.models import Automation
from automations.selectors.mending import ToMend, to_mend
from automations.selectors.reports import step_sentence
from automations.selectors.versions import version_reports
from automations.services import versions
from automations.services.migration import Mode
from automations.services.versions import Preview, Published
from automations.views import shell
from common.errors import AppError, Conflict

LEAVE = "-leave-"  # no step can be called so
MODES = [
    (Mode.KEEP, "Let them finish", "Everybody inside finishes the version they are on. New people enter this one."),
    (
        Mode.DRAIN,
        "Let them finish, and close the older versions",
        "As above; the older versions are shown as closing until the last person has left them.",
    ),
    (
        Mode.MIGRATE,
        "Move them over",
        "Everybody goes on in this version from the step chosen below; a wait in progress keeps its moment, and"
        " nothing that was done for them is done again.",
    ),
    (
        Mode.EXIT,
        "Take them out now",
        "Everybody inside leaves at once. Messages of theirs that still wait are withdrawn.",
    ),
]


@page("automations")
def versions_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Every version: `?since=&until=` bound who came and left."""
    automation = shell.find(pk)
    since, until = shell.day(request.GET.get("since", "")), shell.day(request.GET.get("until", ""))
    runs = reverse("admin:automations_automationrun_changelist")
    rows = [
        {
            "report": report,
            "address": f"{runs}?{urlencode({'automation__id__exact': pk, 'version__id__exact': report.version.pk})}",
            "log": shell.address("automation-log", automation, version=report.version.number),
        }
        for report in version_reports(automation, since, until)
    ]
    context = {
        "rows": rows,
        "since": since,
        "until": until,
        "has_draft": automation.draft is not None,
        "is_anybody_on_older": any(row["report"].inside for row in rows if not row["report"].is_current),  # type: ignore[attr-defined]
        "has_goal": any(row["report"].version.document.get("goal") is not None for row in rows),  # type: ignore[attr-defined]
    }
    return shell.render(request, automation, "automation-versions", "automations/versions.html", context)


@page("automations", write=True)
def publish(request: HttpRequest, pk: int) -> HttpResponse:
    """Shows what publishing the draft (or `?version=n` once more) changes and whom it touches; a POST does it."""
    automation = shell.find(pk)
    number = shell.number(request.GET.get("version", ""))
    if request.GET.get("version") and number is None:
        raise Http404
    if request.method == "POST":
        return _publish(request, automation, number)
    return _confirm(request, automation, number)


def _publish(request: HttpRequest, automation: Automation, number: int | None) -> HttpResponse:
    mapping = {
        name.removeprefix("to:"): None if target == LEAVE else target
        for name, target in request.POST.items()
        if name.startswith("to:") and isinstance(target, str) and target
    }
    mode = request.POST.get("mode", Mode.KEEP)
    try:
        done = versions.release(
            automation, mode=mode, mapping=mapping if mode == Mode.MIGRATE else None, number=number
        )
    except AppError as error:
        return _confirm(request, automation, number, error)
    messages.success(request, _told(done, automation.is_active))
    return HttpResponseRedirect(reverse("automation-versions", args=[automation.pk]))


def _told(done: Published, is_active: bool) -> str:
    told = f"Version {done.version.number} is published; new people enter it{'' if is_active else ' once it is on'}."
    if done.moved:
        told += f" {done.moved:,} {'person' if done.moved == 1 else 'people'} moved over."
    if done.left:
        told += f" {done.left:,} {'person' if done.left == 1 else 'people'} left."
    if done.withdrawn:
        told += f" {done.withdrawn:,} waiting {'message was' if done.withdrawn == 1 else 'messages were'} withdrawn."
    return told


def _confirm(
    request: HttpRequest, automation: Automation, number: int | None, refusal: AppError | None = None
) -> HttpResponse:
    try:
        preview = versions.preview(automation, number=number)
    except Conflict as error:
        messages.info(request, error.message)
        return HttpResponseRedirect(reverse("automation-versions", args=[automation.pk]))
    except AppError as error:
        context: dict[str, Any] = {"refusal": error, "to_mend": _to_mend(automation, number, error)}
    else:
        context = _context(request, automation, preview) | {"refusal": refusal}
    refused: AppError | None = context["refusal"]
    status = 200 if refused is None or request.method != "POST" else refused.http_status
    return shell.render(
        request, automation, "automation-versions", "automations/publish.html", context | {"number": number}, status
    )


def _to_mend(automation: Automation, number: int | None, refusal: AppError) -> list[ToMend]:
    """The faults of the draft by its cards; nothing where an older version is what cannot be published."""
    if number is not None or automation.draft is None or refusal.code != "invalid_automation":
        return []
    return to_mend(automation.draft, refusal.details)


def _context(request: HttpRequest, automation: Automation, preview: Preview) -> dict[str, Any]:
    chosen = {name.removeprefix("to:"): value for name, value in request.POST.items() if name.startswith("to:")}
    runs = f"{reverse('admin:automations_automationrun_changelist')}?automation__id__exact={automation.pk}"
    return {
        "preview": preview,
        "mode": request.POST.get("mode", Mode.KEEP),
        "modes": MODES,
        "leave": LEAVE,
        "targets": [(step_id, step_sentence(step)) for step_id, step in preview.steps.items()],
        "places": [
            {
                "place": place,
                "chosen": chosen.get(place.step_id, place.target or ""),
                "address": f"{runs}&step_id__exact={place.step_id}&status__in=running,held,failed",
            }
            for place in preview.places
        ],
    }
