"""Who stands where and what each step did: sums of the rows that workflows keep of themselves."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Sum
from django.urls import reverse
from django.utils.http import urlencode

from automations import workflows
from automations.models import INSIDE, Automation, AutomationVersion, RunCount, RunStatus, StepCount, StepOutcome

# Outcomes of a step that is behind the contact; a try that failed is not.
PASSED = frozenset(
    {StepOutcome.DONE, StepOutcome.WAITED, StepOutcome.BRANCHED, StepOutcome.SKIPPED, StepOutcome.EXITED}
)


@dataclass(frozen=True)
class Inside:
    """Who is inside one version: step id → status → people."""

    version_id: int
    number: int
    is_current: bool
    steps: dict[str, dict[str, int]] = field(default_factory=dict)

    @property
    def people(self) -> int:
        return sum(sum(by_status.values()) for by_status in self.steps.values())

    def at(self, step_id: str) -> int:
        """Everybody who stands on this step: running, held and failed."""
        return sum(self.steps.get(step_id, {}).values())


def inside(automation: Automation) -> list[Inside]:
    """Who is inside each version that has people inside, and the current one; newest first.

    Plan: run_counts_by_automation; a row for each step and state, and what was appended within the last minute.
    """
    rows = (
        RunCount.objects.filter(automation=automation, status__in=INSIDE)
        .values_list("version_id", "step_id", "status")
        .annotate(total=Sum("people"))
        .order_by()
    )
    found: dict[int, dict[str, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
    for version_id, step_id, status, people in rows:
        if people > 0:
            found[version_id][step_id][status] = people
    numbers = dict(AutomationVersion.objects.filter(automation=automation).values_list("pk", "number"))
    return [
        Inside(pk, number, pk == automation.current_version_id, dict(found.get(pk, {})))
        for pk, number in sorted(numbers.items(), key=lambda item: -item[1])
        if pk in found or pk == automation.current_version_id
    ]


def step_counts(version: AutomationVersion) -> dict[str, Any]:
    """`{"entered", "steps": {step id: {"now", "passed", "failed", "conversion", "branches", "href"}}}` of a version.

    `now` are the people who stand there, `passed` how often it was done with, `failed` who lies there as a dead
    letter, `conversion` the share of those who entered that came at least this far (None while nobody entered).
    """
    now, failed = standing(version)
    passed, ways, entered = _done(version)
    workflow = workflows.prepare(version)
    listing = reverse("admin:automations_automationrun_changelist")
    steps = {}
    for step_id in workflow.steps:
        here, through = now[step_id], passed[step_id]
        query = {"automation__id__exact": version.automation_id, "version__id__exact": version.pk}
        steps[step_id] = {
            "now": here,
            "passed": through,
            "failed": failed[step_id],
            "conversion": min(1.0, (here + through) / entered) if entered else None,
            "branches": ways[step_id],
            "href": f"{listing}?{urlencode(query | {'step_id__exact': step_id})}",
        }
    return {"entered": entered, "steps": steps}


def standing(version: AutomationVersion) -> tuple[dict[str, int], dict[str, int]]:
    """Step → people who stand on it now, and those of them who failed."""
    now: dict[str, int] = defaultdict(int)
    failed: dict[str, int] = defaultdict(int)
    rows = RunCount.objects.filter(automation=version.automation_id, version=version, status__in=INSIDE)
    for step_id, status, people in rows.values_list("step_id", "status").annotate(Sum("people")).order_by():
        now[step_id] += people
        if status == RunStatus.FAILED:
            failed[step_id] += people
    return now, failed


def _done(version: AutomationVersion) -> tuple[dict[str, int], dict[str, dict[str, int]], int]:
    passed: dict[str, int] = defaultdict(int)
    ways: dict[str, dict[str, int]] = defaultdict(dict)
    entered = 0
    rows = StepCount.objects.filter(automation=version.automation_id, version=version)
    for step_id, outcome, way, times in (
        rows.values_list("step_id", "outcome", "way").annotate(Sum("times")).order_by()
    ):
        if not step_id:
            entered += times if outcome == "entered" else 0
        elif outcome in PASSED:
            passed[step_id] += times
            if way:
                ways[step_id][way] = ways[step_id].get(way, 0) + times
    return passed, ways, entered
