"""Everything about one run: each step and try, why it took its way, what it waits for, and what it left behind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from automations import workflows
from automations.domain.tree import Step
from automations.models import AutomationRun, RunStatus, StepOutcome, StepRun, Task
from automations.selectors import reasons
from automations.selectors.reasons import Why
from automations.selectors.reports import step_sentence
from automations.selectors.words import note
from automations.workflows import Workflow
from common import clock
from delivery.models import Message, SourceType

MOST_SHOWN = 500
MOST_EXPLAINED = 12  # decisions of one page, the latest
MOST_LEFT_BEHIND = 100


@dataclass(frozen=True)
class Moment:
    """One record of a step; `messages` and `tasks` are what this step left behind."""

    happened_at: datetime
    sentence: str
    outcome: str
    note: str = ""
    step_id: str = ""
    why: Why | None = None
    messages: list[Message] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)


@dataclass(frozen=True)
class Standing:
    """Where a run stands: the step, until when it waits, and what would wake it before."""

    sentence: str
    waits_until: datetime | None
    looks_at: datetime | None
    wakes_on: list[str]
    attempts: int
    can_skip: bool


@dataclass(frozen=True)
class Inspection:
    moments: list[Moment]
    standing: Standing | None
    is_cut: bool


def inspect(run: AutomationRun) -> Inspection:
    """The whole of a run. Plan: its records by one_step_run_per_number, messages and tasks by their keys."""
    workflow = workflows.load({run.version_id}).get(run.version_id)
    rows = list(StepRun.objects.filter(run=run).order_by("-number")[: MOST_SHOWN + 1])
    is_cut, rows = len(rows) > MOST_SHOWN, rows[MOST_SHOWN - 1 :: -1] if len(rows) > MOST_SHOWN else rows[::-1]
    left = _left_behind(run)
    others = workflows.load({row.version_id for row in rows})
    explained = {row.pk for row in [row for row in rows if reasons.is_decision(row)][-MOST_EXPLAINED:]}
    moments = []
    for row in rows:
        whole = others.get(row.version_id)
        step = _step(whole, row.step_id)
        sentence = step_sentence(step) if step else row.step_id
        why = reasons.why(run, whole, step, row) if row.pk in explained else None
        found = left.pop(row.step_id, ([], [])) if row.outcome == StepOutcome.DONE else ([], [])
        moments.append(Moment(row.happened_at, sentence, row.outcome, note(row), row.step_id, why, *found))
    return Inspection(moments, _standing(run, workflow), is_cut)


def _step(workflow: Workflow | None, step_id: str) -> Step | None:
    return workflow.steps.get(step_id) if workflow else None


def _standing(run: AutomationRun, workflow: Workflow | None) -> Standing | None:
    if run.finished_at is not None or run.status not in (RunStatus.RUNNING, RunStatus.HELD, RunStatus.FAILED):
        return None
    step = _step(workflow, run.step_id)
    waits = run.waits_until or (run.run_at if run.run_at > clock.now() else None)
    looks = run.run_at if waits and clock.now() < run.run_at < waits else None
    can_skip = workflow is not None and run.step_id in workflow.ways.following
    sentence = step_sentence(step) if step else run.step_id or "The end"
    return Standing(sentence, waits, looks, [_awaited(key) for key in run.wakes_on], run.attempts, can_skip)


def _awaited(key: str) -> str:
    """`event:order_completed` in words."""
    kind, _, name = key.partition(":")
    words = {"event": f"the event {name}", "attribute": f"a change of {name}", "segment": f"segment {name}"}
    return words.get(kind, key)


def _left_behind(run: AutomationRun) -> dict[str, tuple[list[Message], list[Task]]]:
    """Step id → the messages it queued and the tasks it made, found by their keys (`steps.base.Group.key`)."""
    prefix = f"automation:{run.pk}:"
    messages = Message.objects.filter(
        contact_id=run.contact_id, source_type=SourceType.AUTOMATION, source_id=run.automation_id
    ).order_by("pk")
    tasks = Task.objects.filter(contact_id=run.contact_id, source_key__startswith=prefix).order_by("pk")
    found: dict[str, tuple[list[Message], list[Task]]] = {}
    for message in messages[:MOST_LEFT_BEHIND]:
        if message.idempotency_key.startswith(prefix):
            _at(found, message.idempotency_key)[0].append(message)
    for task in tasks[:MOST_LEFT_BEHIND]:
        _at(found, task.source_key or "")[1].append(task)
    return found


def _at(found: dict[str, tuple[list[Message], list[Task]]], key: str) -> tuple[list[Message], list[Task]]:
    parts: Sequence[str] = key.split(":")
    return found.setdefault(parts[2], ([], []))
