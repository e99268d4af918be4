"""Ready patterns, suggestions, and the people behind their numbers: pages in the shell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from accounts.backends import allowed
from accounts.shell import page, render
from common.charts import Chart
from common.errors import Invalid
from common.export import csv_response
from segments import rules
from segments.models import AnalysisKind, Finding, PatternSettings, Segment
from segments.patterns import analyses, contrasts, figures, grid, meaning, selectors, services
from segments.patterns.found import times
from segments.patterns.selectors import Report
from segments.rules import catalogue
from segments.rules.catalogue import Catalogue


@require_GET
@page("segments")
def patterns(request: HttpRequest) -> HttpResponse:
    """The gallery and the RFM grid; `m` narrows the grid to one money score."""
    report = selectors.report(AnalysisKind.PATTERNS)
    monetary = _score(request.GET.get("m", ""))
    squares = report.grid
    chart = figures.heatmap(squares, monetary, _square_link(monetary)) if squares else None
    if request.GET.get("csv"):
        return _csv([chart] if chart else [], request.GET["csv"])
    context = {
        "title": "Ready patterns",
        "chart": chart,
        "monetary": monetary,
        "scores": list(grid.SCORES) if squares and squares.amounts and squares.money_property else [],
    }
    return _render(request, "patterns", report, context)


@require_GET
@page("segments")
def suggestions(request: HttpRequest) -> HttpResponse:
    """Segments worth making, found from data, with what speaks for each."""
    report = selectors.report(AnalysisKind.SUGGESTIONS)
    compared = [finding for finding in report.findings if finding.group == contrasts.GROUP]
    chart = figures.lifts(compared) if compared else None
    if request.GET.get("csv"):
        return _csv([chart] if chart else [], request.GET["csv"])
    summary = (report.summary or {}).get("contrasts", {})
    context = {"title": "Suggested segments", "chart": chart, "compared": summary}
    return _render(request, "suggestions", report, context)


def _render(request: HttpRequest, name: str, report: Report, context: dict[str, Any]) -> HttpResponse:
    settings = PatternSettings.objects.first()
    known = catalogue.load()
    whole = {
        "report": report,
        "compute_link": reverse(f"segments:{report.kind}-compute"),
        "waiting_link": reverse(f"segments:{report.kind}-waiting"),
        "groups": _grouped(report.findings, known),
        "said": (report.summary or {}).get("settings") or meaning.load(known).as_json(),
        "may_write": allowed(request.user, "segments", write=True),
        "settings_link": reverse("admin:segments_patternsettings_change", args=[settings.pk])
        if settings
        else reverse("admin:segments_patternsettings_add"),
        "has_figures": bool(context["chart"]),
        **context,
    }
    return render(request, f"segments/patterns/{name}.html", whole)


@dataclass(frozen=True)
class Shown:
    """A finding as the page tells it: its rule in words, and how many times as often or as much."""

    finding: Finding
    sentence: str
    lift: str


def _grouped(findings: Sequence[Finding], known: Catalogue) -> list[tuple[str, list[Shown]]]:
    """Findings under the name of their group."""
    told = [
        Shown(finding, rules.describe(finding.rule, known) if finding.rule else "", _lift(finding.evidence))
        for finding in findings
    ]
    return [(name, list(items)) for name, items in groupby(told, key=lambda shown: shown.finding.group)]


def _lift(evidence: dict[str, Any]) -> str:
    if "lift" not in evidence:
        return ""
    return f"{times(evidence['lift'])} times ({times(evidence['low'])} to {times(evidence['high'])})"


def _csv(drawn: Sequence[Chart], wanted: str) -> HttpResponse:
    chart = next((chart for chart in drawn if chart.name == wanted), None)
    if chart is None:
        raise Http404
    return csv_response(chart.table, f"patterns-{chart.name}")


@require_GET
@page("segments")
def waiting(request: HttpRequest, kind: AnalysisKind) -> HttpResponse:
    """Asked by the page while it waits: nothing yet, or "load again"."""
    report = selectors.report(kind)
    return HttpResponse(status=204) if report.is_waiting else HttpResponse(headers={"HX-Refresh": "true"})


@require_POST
@page("segments", write=True)
def compute(request: HttpRequest, kind: AnalysisKind) -> HttpResponse:
    """Ask for it to be computed again."""
    analyses.request(kind)
    return HttpResponseRedirect(reverse(f"segments:{kind}"))


@require_POST
@page("segments", write=True)
def draft(request: HttpRequest, pk: int) -> HttpResponse:
    """One click: a segment of a finding, not yet active."""
    return _to_draft(request, services.create_draft(get_object_or_404(Finding, pk=pk)))


@require_POST
@page("segments", write=True)
def square_draft(request: HttpRequest) -> HttpResponse:
    """One click: a segment of a square of the grid."""
    squares = selectors.report(AnalysisKind.PATTERNS).grid
    return _to_draft(request, services.create_square_draft(squares, *_scores(request.POST)))


def _to_draft(request: HttpRequest, segment: Segment) -> HttpResponse:
    if not segment.is_active:
        messages.success(request, f"“{segment.name}” is a draft: look at its rule, then make it active.")
    return HttpResponseRedirect(reverse("admin:segments_segment_change", args=[segment.pk]))


@require_GET
@page("segments")
def people(request: HttpRequest, pk: int) -> HttpResponse:
    """Whom a finding's rule finds now; one without a rule shows its people once it is a segment."""
    finding = get_object_or_404(Finding.objects.select_related("analysis"), pk=pk)
    back = reverse(f"segments:{finding.analysis.kind}")
    if finding.rule is None:
        return HttpResponseRedirect(back)
    act = reverse("segments:finding-draft", args=[pk])
    return _people(request, finding.rule, {"title": finding.title, "words": finding.reason, "act": act, "back": back})


@require_GET
@page("segments")
def square(request: HttpRequest) -> HttpResponse:
    """Whom a square of the RFM grid holds now."""
    squares = selectors.report(AnalysisKind.PATTERNS).grid
    if squares is None:
        raise Http404
    recency, frequency, monetary = _scores(request.GET)
    title = f"RFM grid: R{recency} F{frequency}" + (f" M{monetary}" if monetary else "")
    context = {
        "title": title,
        "words": grid.bounds(squares, recency, frequency),
        "act": reverse("segments:square-draft"),
        "scores": {"r": recency, "f": frequency} | ({"m": monetary} if monetary else {}),
        "back": reverse("segments:patterns"),
    }
    return _people(request, grid.rule(squares, recency, frequency, monetary), context)


def _people(request: HttpRequest, rule: dict[str, Any], context: dict[str, Any]) -> HttpResponse:
    before = request.GET.get("before", "")
    found = selectors.people(rule, before_id=int(before) if _is_id(before) else None)
    query = {name: value for name, value in request.GET.items() if name in ("r", "f", "m")}
    whole = {
        "people": found,
        "sentence": rules.describe(rule),
        "older": f"?{urlencode({**query, 'before': found.after})}" if found.after else "",
        "may_write": allowed(request.user, "segments", write=True),
        **context,
    }
    return render(request, "segments/patterns/people.html", whole)


def _square_link(monetary: int | None) -> Callable[[int, int], str]:
    path = reverse("segments:square")
    money = f"&m={monetary}" if monetary else ""
    return lambda recency, frequency: f"{path}?r={recency}&f={frequency}{money}"


def _scores(values: Any) -> tuple[int, int, int | None]:
    recency, frequency = _score(values.get("r", "")), _score(values.get("f", ""))
    if recency is None or frequency is None:
        raise Invalid("Say which square: r and f are scores from 1 to 5.")
    return recency, frequency, _score(values.get("m", ""))


def _score(text: str) -> int | None:
    return int(text) if text in {str(score) for score in grid.SCORES} else None


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19
