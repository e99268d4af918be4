"""Automatic campaigns in the admin's shell: the presets with what they found last, the cycles, running one now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from accounts.backends import allowed
from accounts.models import Organization
from accounts.shell import page, render
from campaigns.auto import cycles, presets
from campaigns.models import AnalysisCycle, AutoFinding, AutoPreset, CampaignStatus
from common import money
from common.models import WorkStatus
from segments.patterns import meaning

SHOWN_CYCLES = 60


@dataclass(frozen=True)
class ShownPreset:
    """A preset in words, with what the last cycle found for it."""

    preset: AutoPreset
    conditions: str
    offer: str
    last: ShownFinding | None


@dataclass(frozen=True)
class ShownFinding:
    """What was found, with the money in words and the way to its people."""

    finding: AutoFinding
    spent: str
    is_waiting: bool


@dataclass(frozen=True)
class ShownCycle:
    cycle: AnalysisCycle
    seconds: float | None
    made: int
    people: int


@require_GET
@page("campaigns")
def automatic(request: HttpRequest) -> HttpResponse:
    """The seven presets, what waits for a decision, and the cycles so far."""
    rows = list(AnalysisCycle.objects.order_by("-day").prefetch_related("findings")[:SHOWN_CYCLES])
    last = _last(rows)
    currency, window = Organization.objects.get().currency, meaning.load().window_days
    shown = [
        ShownPreset(preset, presets.conditions(preset, currency, window), presets.offer(preset), last.get(preset.pk))
        for preset in presets.presets()
    ]
    context = {
        "title": "Automatic campaigns",
        "presets": shown,
        "waiting_count": sum(1 for item in shown if item.last is not None and item.last.is_waiting),
        "cycles": [_cycle(row) for row in rows],
        "latest": rows[0] if rows else None,
        "is_pending": bool(rows) and rows[0].status == WorkStatus.PENDING,
        "may_write": allowed(request.user, "campaigns", write=True),
    }
    return render(request, "campaigns/automatic.html", context)


def _last(rows: list[AnalysisCycle]) -> dict[int, ShownFinding]:
    """By preset: what the latest cycle that was computed says."""
    done = next((row for row in rows if row.finished_at is not None and not row.error), None)
    if done is None:
        return {}
    found = AutoFinding.objects.filter(cycle=done).select_related("campaign", "preset")
    return {finding.preset_id: _finding(finding) for finding in found}


def _finding(finding: AutoFinding) -> ShownFinding:
    waits = finding.campaign is not None and finding.campaign.status == CampaignStatus.PROPOSED
    return ShownFinding(finding, money.show(finding.spent_minor, finding.currency or "USD"), waits)


def _cycle(row: AnalysisCycle) -> ShownCycle:
    took = row.finished_at - row.started_at if row.finished_at and row.started_at else None
    found = list(row.findings.all())
    made = [finding for finding in found if finding.campaign_id is not None]
    people = sum(finding.target_count for finding in made)
    return ShownCycle(row, took / timedelta(seconds=1) if took is not None else None, len(made), people)


@require_GET
@page("campaigns")
def cycle(request: HttpRequest, pk: int) -> HttpResponse:
    """One cycle: what was read, what was found for each preset, what was made of it."""
    row = get_object_or_404(AnalysisCycle.objects.prefetch_related("findings"), pk=pk)
    found = AutoFinding.objects.filter(cycle=row).select_related("campaign", "preset").order_by("pk")
    context = {
        "title": str(row),
        "shown": _cycle(row),
        "findings": [_finding(finding) for finding in found],
        "read": row.summary,
    }
    return render(request, "campaigns/cycle.html", context)


@require_POST
@page("campaigns", write=True)
def run_now(request: HttpRequest) -> HttpResponse:
    """Have today's cycle computed in the background."""
    cycles.request()
    messages.success(request, "The analysis runs now; this page shows what it finds.")
    return HttpResponseRedirect(reverse("automatic-campaigns"))


@require_GET
@page("campaigns")
def waiting(request: HttpRequest) -> HttpResponse:
    """Asked by the page while it waits: nothing yet, or "load again"."""
    is_waiting = AnalysisCycle.objects.filter(status=WorkStatus.PENDING).exists()
    return HttpResponse(status=204) if is_waiting else HttpResponse(headers={"HX-Refresh": "true"})
