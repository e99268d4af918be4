"""What happened to one run, in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from automations import workflows
from automations.models import AutomationRun, StepOutcome, StepRun
from automations.selectors.reports import step_sentence

MOST_SHOWN = 500


@dataclass(frozen=True)
class Moment:
    """One step that was done, or is being waited for (`outcome` is "next")."""

    happened_at: datetime
    sentence: str
    outcome: str
    note: str = ""


def timeline(run: AutomationRun) -> list[Moment]:
    """The steps of a run in the order in which they were done, and the one it stands on."""
    workflow = workflows.load({run.version_id}).get(run.version_id)
    sentences = {step_id: step_sentence(step) for step_id, step in workflow.steps.items()} if workflow else {}
    rows = StepRun.objects.filter(run=run).order_by("-number")[:MOST_SHOWN]
    moments = [
        Moment(row.happened_at, sentences.get(row.step_id, row.step_id), row.outcome, _note(row))
        for row in reversed(rows)
    ]
    if run.step_id and run.finished_at is None:
        moments.append(Moment(run.run_at, sentences.get(run.step_id, run.step_id), "next", run.error))
    return moments


def _note(row: StepRun) -> str:
    if row.outcome == StepOutcome.BRANCHED:
        return str(row.detail.get("branch", ""))
    return row.error or str(row.detail.get("reason", ""))
