"""The step funnel of a version: a chart, a table, and the rows behind each number."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import urlencode

from accounts.shell import page
from automations.models import Automation, AutomationVersion
from automations.selectors.funnel import Funnel, Stage, funnel
from automations.selectors.reports import way_name
from automations.views import shell
from common import charts, figures
from common.charts import Cell, Chart, Column, Table
from common.export import csv_response

LONGEST_LABEL = 44
COLUMNS = [
    Column("Step"),
    *(Column(title, "number") for title in ("Reached", "Of those who came")),
    *(Column(title, "number") for title in ("Done", "Skipped", "Failed tries", "There now", "Left here")),
    Column("Median until done", "number"),
]


@page("automations")
def show(request: HttpRequest, pk: int) -> HttpResponse:
    """`?version=&since=&until=`; `csv=funnel` hands the table as a file."""
    automation = shell.find(pk)
    version = _version(automation, shell.number(request.GET.get("version", "")))
    since, until = shell.day(request.GET.get("since", "")), shell.day(request.GET.get("until", ""))
    asked = {"version": version.number if version else "", "since": since, "until": until}
    chart = _chart(automation, version, funnel(version, since, until), asked) if version else None
    if chart and request.GET.get("csv") == "funnel":
        return csv_response(chart.table, f"{automation.slug}-funnel")
    context = {
        "chart": chart,
        "asked": asked,
        "query": urlencode({key: value for key, value in asked.items() if value}),
        "versions": list(automation.versions.order_by("-number").values_list("number", flat=True)),
        "has_figures": bool(chart and chart.figure),
    }
    return shell.render(request, automation, "automation-funnel", "automations/funnel.html", context)


def _version(automation: Automation, number: int | None) -> AutomationVersion | None:
    found = automation.versions.filter(number=number).first() if number else None
    return found or automation.current_version


def _chart(automation: Automation, version: AutomationVersion, found: Funnel, asked: dict[str, Any]) -> Chart:
    shown = [stage for stage in found.stages if stage.is_active or stage.reached]
    labels = [f"{place}. {figures.short(stage.sentence)}" for place, stage in enumerate(shown, 1)]
    series = {"Reached": [stage.reached for stage in shown], "There now": [stage.now for stage in shown]}
    has_people = bool(found.entered or found.moved)
    table = Table(COLUMNS, [_row(automation, version, stage, asked) for stage in shown] if has_people else [])
    return Chart(
        "funnel",
        f"How far people come in version {version.number}",
        _summary(found, shown),
        table,
        charts.bars(labels, series, sideways=True) if has_people and shown else {},
        "Nobody has entered this version in these days. Switch the workflow on, or choose other days.",
    )


def _summary(found: Funnel, shown: list[Stage]) -> str:
    if not shown:
        return ""
    came = f"{found.entered:,} entered" + (f", {found.moved:,} came over from another version" if found.moved else "")
    through = f"{found.completed:,} came to the end"
    losses = [stage for stage in shown if stage.left]
    most = max(losses, key=lambda stage: stage.left, default=None)
    told = f"{came}; {through}."
    return told if most is None else f"{told} Most left at “{most.sentence}”: {most.left:,}."


def _row(automation: Automation, version: AutomationVersion, stage: Stage, asked: dict[str, Any]) -> list[Cell]:
    days = {"since": asked["since"], "until": asked["until"]}

    def log(**more: object) -> str:
        said = {"step": stage.step_id, "version": version.number, **days, **more}
        return shell.address("automation-log", automation, **said)

    runs = reverse("admin:automations_automationrun_changelist")
    people = {
        "automation__id__exact": automation.pk,
        "version__id__exact": version.pk,
        "step_id__exact": stage.step_id,
    }
    here = f"{runs}?{urlencode(people)}&status__in=running,held,failed"
    label = f"{'— ' * stage.depth}{way_name(stage.way) + ': ' if stage.way else ''}{stage.sentence}"
    if stage.ways:
        label += f" ({', '.join(f'{way_name(name)} {times:,}' for name, times in sorted(stage.ways.items()))})"
    return [
        Cell(label),
        figures.count(stage.reached, log()),
        figures.share(stage.share),
        figures.count(stage.done, log()),
        figures.count(stage.skipped, log(outcome="skipped")),
        figures.count(stage.tries_failed, log(outcome="failed")),
        figures.count(stage.now, here),
        figures.count(stage.left, log(outcome="exited")),
        Cell(_span(stage.median_seconds), stage.median_seconds),
    ]


def _span(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    if seconds < 1:
        return "at once"
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{timedelta(seconds=seconds) / timedelta(seconds=size):.0f} {unit}"
    return f"{seconds:.0f} s"
