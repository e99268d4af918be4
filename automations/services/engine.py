"""The engine: claims due runs, groups them by step, and serves each group at once (architecture §2.7).

One transaction holds the claim, the effects, the step records and the moves. Whatever ends it early (a
kill, a lost connection) takes everything back, and the rows are simply due again: nothing is lost, nothing
happens twice. Steps write rows; they never touch the network.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from django.db import OperationalError, connection, transaction
from psycopg.errors import DeadlockDetected, SerializationFailure

from automations import workflows
from automations.models import RunStatus, StepOutcome
from automations.services import records
from automations.services.records import Record
from automations.steps import STEPS
from automations.steps.base import DONE, Group, Result, Results, Traveller
from automations.workflows import Workflow
from common import claims, clock, tenancy
from common.errors import AppError, Permanent, Transient

logger = logging.getLogger(__name__)

BATCH = 1000
# Steps served within one transaction before the rest is left to the next claim.
MOST_PASSES = 20
MOST_ATTEMPTS = 8
# Deadlocks in one call before the engine leaves the rest to the next sweep.
MOST_CLASHES = 20
# Loop guard: no run takes more steps than this.
MOST_STEPS_PER_RUN = 1000
# The more often a step failed, the smaller the groups it is tried in, until one bad row stands alone.
GROUP_SIZES = (BATCH, 100, 10, 1)

Key = tuple[int, str, int]


def run(organization_id: int) -> int:
    """Serve every due run of an organisation; returns how many runs were claimed.

    A batch that clashed with another transaction over the same contacts is rolled back and begun again.
    """
    worked, clashes = 0, 0
    with tenancy.organization(organization_id):
        while True:
            try:
                claimed = _serve_batch()
            except OperationalError as error:
                clashes += 1
                if not _is_clash(error) or clashes > MOST_CLASHES:
                    raise
                logger.info("The engine clashed with another transaction and begins its batch again: %s", error)
                continue
            if not claimed:
                return worked
            worked += claimed


def _is_clash(error: Exception) -> bool:
    return isinstance(error.__cause__, DeadlockDetected | SerializationFailure)


def _serve_batch() -> int:
    with transaction.atomic():
        now = clock.now()
        travellers = records.claim(now, BATCH)
        if travellers:
            records.write(travellers, list(_serve(travellers, now)))
    return len(travellers)


def _serve(travellers: Sequence[Traveller], now: datetime) -> Iterator[Record]:
    """Move everybody on, group by group, until all wait, are through, or the passes are used up."""
    ready = workflows.load({traveller.version_id for traveller in travellers})
    for _ in range(MOST_PASSES):
        moving = [one for one in travellers if one.status == RunStatus.RUNNING and one.run_at <= now]
        if not moving:
            return
        for (version_id, step_id, size), runs in _grouped(moving).items():
            workflow = ready.get(version_id)
            if workflow is None:
                yield from (_fail(one, Permanent("Its version is gone or cannot be read."), now) for one in runs)
                continue
            if not step_id:
                _finish(runs, RunStatus.COMPLETED, now)
                continue
            for start in range(0, len(runs), size):
                group = Group(workflow.automation_id, step_id, runs[start : start + size], now)
                yield from _serve_group(workflow, group)


def _grouped(travellers: Sequence[Traveller]) -> dict[Key, list[Traveller]]:
    groups: dict[Key, list[Traveller]] = defaultdict(list)
    for one in travellers:
        size = GROUP_SIZES[min(one.attempts, len(GROUP_SIZES) - 1)]
        groups[one.version_id, one.step_id, size].append(one)
    return groups


def _serve_group(workflow: Workflow, group: Group) -> list[Record]:
    try:
        with transaction.atomic():
            results = _execute(workflow, group)
    except Exception as error:
        if _is_clash(error) or connection.connection is None or connection.connection.closed:
            raise
        logger.error(
            "Step %s of version %s failed for %s runs",
            group.step_id,
            workflow.version_id,
            len(group.runs),
            exc_info=error,
        )
        return [_fail(one, error, group.now) for one in group.runs]
    moved = [_move(workflow, one, results.get(one.id, DONE), group.now) for one in group.runs]
    return [record for record in moved if record is not None]


def _execute(workflow: Workflow, group: Group) -> Results:
    step = workflow.steps.get(group.step_id)
    if step is None:
        raise Permanent(f'This version has no step "{group.step_id}".')
    kind = STEPS.find(step.type)
    return kind.execute(workflows.configuration_of(kind, step), group)


def _move(workflow: Workflow, one: Traveller, result: Result, now: datetime) -> Record | None:
    """Put the run where the result says. A run that waits stays on its step and has no record yet."""
    if result.wait_until is not None:
        one.waiting_since, one.run_at, one.attempts, one.error = one.waiting_since or now, result.wait_until, 0, ""
        return None
    record = _record(one, result.outcome, now, detail=result.detail)
    if result.branch:
        one.step_id = workflow.ways.entrances[one.step_id][result.branch]
    else:
        one.step_id = workflow.ways.following[one.step_id]
    one.waiting_since, one.run_at, one.attempts, one.error = None, now, 0, ""
    if result.leaves:
        _finish([one], RunStatus.EXITED, now)
    elif not one.step_id:
        _finish([one], RunStatus.COMPLETED, now)
    elif one.step_count >= MOST_STEPS_PER_RUN:
        one.status = RunStatus.FAILED
        one.error = f"Loop guard: this run took {MOST_STEPS_PER_RUN:,} steps without coming to an end."
    return record


def _finish(runs: Sequence[Traveller], status: RunStatus, now: datetime) -> None:
    for one in runs:
        one.status, one.finished_at, one.step_id = status, now, ""


def _fail(one: Traveller, error: Exception, now: datetime) -> Record:
    """Count the failed try: back off, or lay the run among the dead letters."""
    one.attempts += 1
    one.error = error.message if isinstance(error, AppError) else f"{type(error).__name__}: {error}"[:2000]
    certain = isinstance(error, AppError) and not isinstance(error, Transient)
    if certain or one.attempts >= MOST_ATTEMPTS:
        one.status = RunStatus.FAILED
    else:
        one.run_at = now + _pause(one, error)
    return _record(one, StepOutcome.FAILED, now, error=one.error)


def _pause(one: Traveller, error: Exception) -> timedelta:
    if isinstance(error, Transient) and error.retry_after_seconds is not None:
        return timedelta(seconds=error.retry_after_seconds)
    # Spread by run id (Knuth's multiplicative hash), so that a failed group does not come back as one burst.
    share = (one.id * 2_654_435_761 % 1000) / 1000
    return claims.backoff(one.attempts) * (0.75 + share / 2)


def _record(
    one: Traveller,
    outcome: StepOutcome,
    now: datetime,
    *,
    detail: dict[str, object] | None = None,
    error: str = "",
) -> Record:
    one.step_count += 1
    return Record(one.id, one.step_count, one.step_id, outcome, detail or {}, error, now)
