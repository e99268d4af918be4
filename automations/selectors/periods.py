"""All workflows, version by version, in a stretch of days: who came, who left, who is inside."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from django.db.models import Q, Sum

from automations.models import INSIDE, AutomationRun, AutomationVersion, RunCount, StepCount, StepOutcome


@dataclass(frozen=True)
class Flow:
    """One version: who is inside is now, the rest is of the days asked."""

    automation_id: int
    version_id: int
    name: str
    number: int
    entered: int
    inside: int
    finished: int
    goal: int
    failed: int


def flows_within(since: date, until: date, version_ids: Collection[int] = ()) -> list[Flow]:
    """Versions that people entered or left in these days, and those named; the most entered first.

    Plan: a scan of the organisation's folded counts, a few rows for each version, step and day.
    """
    done: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    rows = StepCount.objects.filter(day__range=(since, until)).filter(Q(step_id="") | Q(outcome=StepOutcome.GOAL))
    for version_id, outcome, times in rows.values_list("version_id", "outcome").annotate(Sum("times")).order_by():
        done[version_id][outcome] += times
    wanted = done.keys() | set(version_ids)
    standing: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    here = RunCount.objects.filter(version_id__in=wanted, status__in=INSIDE)
    for version_id, status, people in here.values_list("version_id", "status").annotate(Sum("people")).order_by():
        standing[version_id][status] += people
    versions = AutomationVersion.objects.filter(pk__in=wanted).values_list(
        "pk", "automation_id", "automation__name", "number"
    )
    found = [
        Flow(
            automation_id,
            pk,
            name,
            number,
            done[pk]["entered"],
            sum(standing[pk].values()),
            done[pk]["completed"] + done[pk]["exited"],
            done[pk][StepOutcome.GOAL],
            standing[pk]["failed"],
        )
        for pk, automation_id, name, number in versions
    ]
    return sorted(found, key=lambda flow: (-flow.entered, flow.name, -flow.number))


def versions_of(message_keys: Collection[str]) -> dict[str, int]:
    """Key of a message that a workflow queued (`steps.base.Group.key`) → the version its run is on."""
    runs = {key: int(parts[1]) for key in message_keys if len(parts := key.split(":")) > 2 and parts[1].isdecimal()}
    known = dict(AutomationRun.objects.filter(pk__in=set(runs.values())).values_list("pk", "version_id"))
    return {key: known[run_id] for key, run_id in runs.items() if run_id in known}
