"""Where a run goes after a step: on, into a branch, round again, out, to sleep, or among the dead letters."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from automations.domain import tree
from automations.models import ErrorPolicy, ExitReason, RunStatus, StepOutcome
from automations.services.records import Record
from automations.steps.base import Result, Traveller
from automations.workflows import NOTHING, Workflow
from common import claims
from common.errors import AppError, Transient

MOST_ATTEMPTS = 8
# Loop guard: no run takes more steps than this.
MOST_STEPS_PER_RUN = 1000


def move(workflow: Workflow, one: Traveller, result: Result, now: datetime) -> Record | None:
    """Put the run where the result says. A run that waits stays on its step and has no record yet."""
    if result.wait_until is not None:
        one.waiting_since, one.waits_until = one.waiting_since or now, result.wait_until
        sleep(workflow, one, result.look_at)
        return None
    record = written(one, result.outcome, now, detail=result.detail)
    step_id = one.step_id
    if workflow.repeats(step_id):
        _turn(one, step_id, is_over=not result.branch)
    if result.leaves:
        finish([one], RunStatus.EXITED, now, ExitReason.STEP)
    elif result.branch:
        _go(one, workflow.ways.entrances[step_id][result.branch], now)
    else:
        _go(one, workflow.ways.following[step_id], now)
    return record


def sleep(workflow: Workflow, one: Traveller, look_at: datetime | None = None) -> None:
    """Let a run wait on its step until its time is over, or something may have changed."""
    moments = [moment for moment in (one.waits_until, look_at, one.flips_at) if moment is not None]
    one.run_at, one.attempts, one.error = min(moments), 0, ""
    one.wakes_on = workflow.wakes_on(one.step_id)


def _go(one: Traveller, step_id: str, now: datetime) -> None:
    one.step_id, one.run_at, one.attempts, one.error = step_id, now, 0, ""
    _forget_wait(one)
    if not step_id:
        finish([one], RunStatus.COMPLETED, now)
    elif one.step_count >= MOST_STEPS_PER_RUN:
        one.status = RunStatus.FAILED
        one.error = f"Loop guard: this run took {MOST_STEPS_PER_RUN:,} steps without coming to an end."


def _forget_wait(one: Traveller) -> None:
    one.waiting_since, one.waits_until, one.wakes_on = None, None, NOTHING


def _turn(one: Traveller, step_id: str, *, is_over: bool) -> None:
    """Count a turn of a repeating step, or forget its count: who comes here again begins anew."""
    laps = one.laps
    if is_over:
        laps.pop(step_id, None)
    else:
        laps[step_id], laps[""] = laps.get(step_id, 0) + 1, laps.get("", 0) + 1
    one.set_laps(laps)


def finish(runs: Sequence[Traveller], status: RunStatus, now: datetime, reason: ExitReason = ExitReason.NONE) -> None:
    """These runs are over."""
    for one in runs:
        one.status, one.finished_at, one.step_id, one.exit_reason, one.error = status, now, "", reason, ""
        _forget_wait(one)


def fail(workflow: Workflow | None, one: Traveller, error: Exception, now: datetime) -> Record:
    """Count the failed try: back off, or do what the step's error policy says."""
    one.attempts += 1
    one.error = error.message if isinstance(error, AppError) else f"{type(error).__name__}: {error}"[:2000]
    record = written(one, StepOutcome.FAILED, now, error=one.error)
    certain = isinstance(error, AppError) and not isinstance(error, Transient)
    if certain or one.attempts >= MOST_ATTEMPTS:
        _give_up(workflow, one, now)
    else:
        one.run_at = now + _pause(one, error)
    return record


def _give_up(workflow: Workflow | None, one: Traveller, now: datetime) -> None:
    step = workflow.steps.get(one.step_id) if workflow is not None else None
    policy = step.on_error if step is not None else tree.STOP
    if workflow is not None and policy == ErrorPolicy.CONTINUE:
        if workflow.repeats(one.step_id):
            _turn(one, one.step_id, is_over=True)
        _go(one, workflow.ways.following[one.step_id], now)
    elif policy == ErrorPolicy.EXIT:
        finish([one], RunStatus.EXITED, now, ExitReason.ERROR)
    else:
        one.status, one.wakes_on = RunStatus.FAILED, NOTHING


def _pause(one: Traveller, error: Exception) -> timedelta:
    if isinstance(error, Transient) and error.retry_after_seconds is not None:
        return timedelta(seconds=error.retry_after_seconds)
    # Spread by run id (Knuth's multiplicative hash), so that a failed group does not come back as one burst.
    share = (one.id * 2_654_435_761 % 1000) / 1000
    return claims.backoff(one.attempts) * (0.75 + share / 2)


def written(
    one: Traveller,
    outcome: StepOutcome,
    now: datetime,
    *,
    detail: dict[str, object] | None = None,
    error: str = "",
) -> Record:
    """The next record of a run."""
    one.step_count += 1
    seconds = max(0, int((now - one.entered_at).total_seconds()))
    return Record(
        one.id, one.automation_id, one.version_id, seconds, one.step_count, one.step_id, outcome, detail or {}, error,
        now,
    )  # fmt: skip
