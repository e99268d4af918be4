"""Rehearsals of a workflow: ask for one, watch it, read it beside another, and walk one contact through."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from accounts.backends import allowed
from accounts.shell import page, render
from automations.models import Automation, Simulation
from automations.simulation import figures, work
from common.errors import AppError
from common.export import csv_response

SPANS = (7, 14, 30, 60, 90)


@page("automations")
def show(request: HttpRequest, pk: int) -> HttpResponse:
    """The simulation `?number=` (else the newest), beside `?with=` where that is named; a POST asks for one."""
    automation = get_object_or_404(Automation.objects.select_related("current_version"), pk=pk)
    if request.method == "POST":
        return _ask(request, automation)
    rows = list(Simulation.objects.filter(automation=automation).select_related("version"))
    rows.sort(key=lambda row: -row.pk)
    shown = _chosen(rows, request.GET.get("number", "")) or next(iter(rows), None)
    other = _chosen([row for row in rows if row.result and row != shown], request.GET.get("with", ""))
    charts = figures.drawn(shown, other) if shown and shown.result else []
    if wanted := request.GET.get("csv"):
        return _csv(charts, wanted)
    context = {
        "title": f"Rehearse {automation}",
        "automation": automation,
        "rows": rows,
        "shown": shown,
        "other": other,
        "told": figures.told(shown, other) if shown and shown.result else None,
        "charts": charts,
        "period": {"query": urlencode({"number": shown.pk, "with": other.pk if other else ""}) if shown else ""},
        "others": [row for row in rows if row.result and row != shown],
        "spans": SPANS,
        "may_write": allowed(request.user, "automations", write=True),
    }
    return render(request, "automations/simulations.html", context)


def _chosen(rows: list[Simulation], number: str) -> Simulation | None:
    return next((row for row in rows if str(row.pk) == number), None)


def _ask(request: HttpRequest, automation: Automation) -> HttpResponse:
    if not allowed(request.user, "automations", write=True):
        raise PermissionDenied
    address = reverse("automation-simulations", args=[automation.pk])
    days = request.POST.get("days", "")
    try:
        row = work.request(
            automation, days=int(days) if days.isdigit() and len(days) < 5 else 0, what=request.POST.get("what", "")
        )
    except AppError as error:
        told = "; ".join(f"{place}: {sentence}" for place, sentence in error.details.items())
        messages.error(request, f"Nothing was rehearsed. {told or error.message}")
        return HttpResponseRedirect(address)
    return HttpResponseRedirect(f"{address}?number={row.pk}")


def _csv(charts: list[Any], wanted: str) -> HttpResponse:
    chart = next((chart for chart in charts if chart.name == wanted), None)
    if chart is None:
        raise Http404
    return csv_response(chart.table, f"rehearsal-{chart.name}")


@require_GET
@page("automations")
def progress(request: HttpRequest, pk: int) -> HttpResponse:
    """How far a simulation is; once it is over the page loads again."""
    row = get_object_or_404(Simulation, pk=pk)
    if row.is_over:
        return HttpResponse(headers={"HX-Refresh": "true"})
    return render(request, "automations/simulation_progress.html", {"title": "", "shown": row})


@require_POST
@page("automations", write=True)
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(Simulation, pk=pk)
    if work.cancel(row):
        messages.success(request, "The rehearsal was stopped.")
    return HttpResponseRedirect(f"{reverse('automation-simulations', args=[row.automation_id])}?number={row.pk}")
