"""The versions of a workflow with what became of the people in each."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date

from django.db.models import Sum

from automations.models import INSIDE, Automation, AutomationVersion, RunCount, StepCount, StepOutcome
from automations.selectors.differences import differences

Totals = dict[int, dict[str, int]]
MOST_TOLD = 30  # the youngest versions say what they changed; naming it asks for templates and the like


@dataclass(frozen=True)
class VersionReport:
    """One version: who entered it, came over from an older one, is inside, and how they left."""

    version: AutomationVersion
    is_current: bool
    entered: int = 0
    moved: int = 0
    inside: int = 0
    failed: int = 0
    completed: int = 0
    exited: int = 0
    cancelled: int = 0
    goal: int = 0
    differences: list[str] = field(default_factory=list)

    @property
    def finished(self) -> int:
        return self.completed + self.exited

    @property
    def conversion(self) -> float | None:
        """The share of those who came that reached the goal; None without a goal or people."""
        came = self.entered + self.moved
        return self.goal / came if came and self.version.document.get("goal") is not None else None

    @property
    def state(self) -> str:
        """current, closing (drained, with people inside), closed (drained and empty), or older."""
        if self.is_current:
            return "current"
        if self.version.closed_at is None:
            return "older"
        return "closing" if self.inside else "closed"


def version_reports(
    automation: Automation, since: date | None = None, until: date | None = None
) -> list[VersionReport]:
    """Every version, newest first. Days (the organisation's) bound who came and left; who is inside is now.

    Plan: run_counts_by_automation and step_counts_by_automation, whatever number of people went through.
    """
    standing, flow = _standing(automation), _flow(automation, since, until)
    reports: list[VersionReport] = []
    before: AutomationVersion | None = None
    versions = list(automation.versions.order_by("number"))
    for place, version in enumerate(versions):
        here, done = standing[version.pk], flow[version.pk]
        is_young = place >= len(versions) - MOST_TOLD
        told = differences(before.document, version.document) if before and is_young else []
        reports.append(
            VersionReport(
                version,
                version.pk == automation.current_version_id,
                done["entered"],
                done["moved"],
                sum(here[status] for status in INSIDE),
                here["failed"],
                done["completed"],
                done["exited"],
                done["cancelled"],
                done["goal"],
                told,
            )
        )
        before = version
    return reports[::-1]


def _standing(automation: Automation) -> Totals:
    found: Totals = defaultdict(lambda: defaultdict(int))
    rows = RunCount.objects.filter(automation=automation).values_list("version_id", "status")
    for version_id, status, people in rows.annotate(Sum("people")).order_by():
        found[version_id][status] = people
    return found


def _flow(automation: Automation, since: date | None, until: date | None) -> Totals:
    found: Totals = defaultdict(lambda: defaultdict(int))
    rows = StepCount.objects.filter(automation=automation)
    if since:
        rows = rows.filter(day__gte=since)
    if until:
        rows = rows.filter(day__lte=until)
    of_people = rows.filter(step_id="").values_list("version_id", "outcome")
    of_steps = rows.filter(outcome__in=[StepOutcome.GOAL, StepOutcome.MOVED]).exclude(step_id="")
    for counted in (of_people, of_steps.values_list("version_id", "outcome")):
        for version_id, outcome, times in counted.annotate(Sum("times")).order_by():
            found[version_id][outcome] += times
    return found
