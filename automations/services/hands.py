"""What a colleague does with one run by hand: end its wait, pass over a step, try again, take it out; audited."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction

from accounts import actor, audit
from automations import workflows
from automations.models import INSIDE, Automation, AutomationRun, RunStatus, StepOutcome, StepRun
from automations.services import letters
from automations.services.entries import WORK
from common import clock, doorbell
from common.errors import Conflict, NotFound


def go_on(run_id: int) -> AutomationRun:
    """End the wait now, as if its time were over; a pause between two tries as well. Raises `Conflict` otherwise."""
    with _held(run_id, "go_on") as (run, _):
        now = clock.now()
        if run.status == RunStatus.FAILED:
            raise Conflict("This run has failed; try it again, or pass over the step.", code="failed")
        if run.run_at <= now and (run.waits_until is None or run.waits_until <= now):
            raise Conflict("This run waits for nothing; it goes on by itself.", code="not_waiting")
        run.run_at = now
        if run.waits_until is not None:
            run.waits_until = now
        run.save(update_fields=["run_at", "waits_until"])
    return run


def skip(run_id: int) -> AutomationRun:
    """Pass over the step where the run stands; it goes on with the next. A failed run is inside again."""
    with _held(run_id, "skip") as (run, automation):
        workflow = workflows.load([run.version_id]).get(run.version_id)
        following = workflow.ways.following.get(run.step_id) if workflow else None
        if workflow is None or following is None:
            raise Conflict("This run stands on no step that could be passed over.", code="no_step")
        _record(run, StepOutcome.SKIPPED, "passed over by hand")
        if workflow.repeats(run.step_id):
            run.laps.pop(run.step_id, None)
        now = clock.now()
        run.step_id, run.run_at, run.attempts, run.error = following, now, 0, ""
        run.waiting_since, run.waits_until, run.wakes_on = None, None, []
        if following:
            run.status = RunStatus.RUNNING if automation.is_active else RunStatus.HELD
        else:
            run.status, run.finished_at = RunStatus.COMPLETED, now
        run.save()
    return run


def try_again(run_id: int) -> None:
    """Try a failed run again from where it stands. Raises `Conflict` when it has not failed."""
    if not letters.replay([run_id]):
        raise Conflict("Only a run that has failed can be tried again.", code="not_failed")


def take_out(run_id: int) -> None:
    """Take a run out of its workflow for good. Raises `Conflict` when it is over already."""
    if not letters.dismiss([run_id]):
        raise Conflict("This run is over already.", code="over")


@contextmanager
def _held(run_id: int, action: str) -> Iterator[tuple[AutomationRun, Automation]]:
    """The run, inside and locked, with its workflow, which is not switched meanwhile; the engine is rung after it."""
    with transaction.atomic():
        automation = Automation.objects.select_for_update(no_key=True).filter(runs=run_id).first()
        run = AutomationRun.objects.select_for_update().filter(pk=run_id).first()
        if automation is None or run is None:
            raise NotFound("There is no such run any more.")
        if run.status not in INSIDE:
            raise Conflict("This run is over already.", code="over")
        before: dict[str, Any] = {"run": run.pk, "step": run.step_id, "status": run.status}
        yield run, automation
        audit.record(action, automation, after=before | {"now": run.step_id})
        transaction.on_commit(lambda: doorbell.ring(WORK))


def _record(run: AutomationRun, outcome: StepOutcome, reason: str) -> None:
    now = clock.now()
    run.step_count += 1
    StepRun.objects.create(
        run=run,
        automation_id=run.automation_id,
        version_id=run.version_id,
        seconds=max(0, int((now - run.entered_at).total_seconds())),
        number=run.step_count,
        step_id=run.step_id,
        outcome=outcome,
        detail={"reason": reason, "by": actor.current().name},
        happened_at=now,
    )
