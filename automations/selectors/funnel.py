"""The funnel of a version: how many came to each step, what it did, who is there, who left, and how long it took."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date

from django.db.models import Sum

from automations.domain import slots, tree
from automations.models import AutomationVersion, StepCount, StepOutcome
from automations.selectors.counts import standing
from automations.selectors.reports import step_sentence

DONE = frozenset({StepOutcome.DONE, StepOutcome.WAITED, StepOutcome.BRANCHED})
LEFT = frozenset({StepOutcome.EXITED, StepOutcome.GOAL})


@dataclass(frozen=True)
class Stage:
    """One step: `tries_failed` counts tries, `failed` and `now` people who stand there at this moment."""

    step_id: str
    sentence: str
    depth: int
    way: str = ""  # the branch it stands in
    is_active: bool = True
    reached: int = 0
    done: int = 0
    skipped: int = 0
    tries_failed: int = 0
    failed: int = 0
    now: int = 0
    left: int = 0
    median_seconds: float | None = None
    ways: dict[str, int] = field(default_factory=dict)
    share: float | None = None  # of those who came into the version


@dataclass(frozen=True)
class Funnel:
    entered: int
    moved: int
    completed: int
    stages: list[Stage]


Counts = dict[str, dict[tuple[str, str], int]]


def funnel(version: AutomationVersion, since: date | None = None, until: date | None = None) -> Funnel:
    """The steps of a version in the order in which people meet them; days are the organisation's.

    Who stands there now counts as having reached it, unless `until` looks at the past.
    Plan: step_counts_by_automation and run_counts_by_automation; a few rows per step and day, however many people.
    """
    counts, spans = _counts(version, since, until)
    now, failed = standing(version)
    of_people = counts[""]
    came = of_people[("entered", "")] + sum(
        times for places in counts.values() for (outcome, _), times in places.items() if outcome == StepOutcome.MOVED
    )
    stages = [
        _stage(step, depth, way, counts[step.id], spans[step.id], now[step.id], failed[step.id], came, until is None)
        for step, depth, way in _lines(tree.read_steps(version.document["steps"]))
    ]
    return Funnel(of_people[("entered", "")], came - of_people[("entered", "")], of_people[("completed", "")], stages)


def _lines(steps: tuple[tree.Step, ...], depth: int = 0, way: str = "") -> list[tuple[tree.Step, int, str]]:
    found = []
    for step in steps:
        found.append((step, depth, way))
        for name, branch in step.branches.items():
            found += _lines(branch, depth + 1, name)
    return found


def _stage(
    step: tree.Step,
    depth: int,
    way: str,
    counts: dict[tuple[str, str], int],
    spans: dict[int, int],
    now: int,
    failed: int,
    came: int,
    is_open: bool,
) -> Stage:
    by_outcome: dict[str, int] = defaultdict(int)
    for (outcome, _), times in counts.items():
        by_outcome[outcome] += times
    done = sum(by_outcome[outcome] for outcome in DONE)
    left = sum(by_outcome[outcome] for outcome in LEFT)
    reached = done + left + by_outcome[StepOutcome.SKIPPED] + (now if is_open else 0)
    ways = {name: times for (outcome, name), times in counts.items() if name and outcome == StepOutcome.BRANCHED}
    return Stage(
        step.id,
        step_sentence(step),
        depth,
        way,
        step.is_active,
        reached,
        done,
        by_outcome[StepOutcome.SKIPPED],
        by_outcome[StepOutcome.FAILED],
        failed,
        now,
        left,
        slots.median(spans),
        ways,
        reached / came if came else None,
    )


def _counts(
    version: AutomationVersion, since: date | None, until: date | None
) -> tuple[Counts, dict[str, dict[int, int]]]:
    counts: Counts = defaultdict(lambda: defaultdict(int))
    spans: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    rows = StepCount.objects.filter(automation=version.automation_id, version=version)
    if since:
        rows = rows.filter(day__gte=since)
    if until:
        rows = rows.filter(day__lte=until)
    grouped = rows.values_list("step_id", "outcome", "way", "slot").annotate(Sum("times")).order_by()
    for step_id, outcome, way, slot, times in grouped:
        counts[step_id][(outcome, way)] += times
        if outcome in DONE or outcome == StepOutcome.SKIPPED:
            spans[step_id][slot] += times
    return counts, spans
