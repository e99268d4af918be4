"""The engine: claims due runs, groups them by step, and serves each group at once (architecture §2.7).

One transaction holds the claim, the effects, the step records and the moves. Whatever ends it early (a
kill, a lost connection) takes everything back, and the rows are simply due again: nothing is lost, nothing
happens twice. Steps write rows; they never touch the network.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from django.db import OperationalError, transaction

from automations import workflows
from automations.models import RunStatus
from automations.services import clashes, depth, endings, moves, records
from automations.services.records import Record
from automations.steps import STEPS
from automations.steps.base import DONE, Group, Results, Traveller
from automations.workflows import Workflow
from common import clock, tenancy
from common.errors import Permanent

logger = logging.getLogger(__name__)

BATCH = 1000
# Steps served within one transaction before the rest is left to the next claim.
MOST_PASSES = 20
# Deadlocks in one call before the engine leaves the rest to the next sweep.
MOST_CLASHES = 20
# The more often a step failed, the smaller the groups it is tried in, until one bad row stands alone.
GROUP_SIZES = (BATCH, 100, 10, 1)

Key = tuple[int, str, int, int]


def run(organization_id: int) -> int:
    """Serve every due run of an organisation; returns how many runs were claimed.

    A batch that clashed with another transaction over the same contacts is rolled back and begun again.
    """
    worked, tries = 0, 0
    with tenancy.organization(organization_id):
        while True:
            try:
                claimed, is_more = _serve_batch()
            except OperationalError as error:
                tries += 1
                if not clashes.is_clash(error) or tries > MOST_CLASHES:
                    raise
                logger.info("The engine clashed with another transaction and begins its batch again: %s", error)
                continue
            worked += claimed
            if not is_more:
                return worked


def _serve_batch() -> tuple[int, bool]:
    """How many runs were claimed, and whether more may be due: a small batch emptied every lane."""
    with transaction.atomic():
        now = clock.now()
        travellers = records.claim(now, BATCH)
        if travellers:
            records.write(travellers, list(_serve(travellers, now)))
    goes_on = any(one.status == RunStatus.RUNNING and one.run_at <= now for one in travellers)
    return len(travellers), goes_on or len(travellers) >= BATCH * records.LEAST_SHARE


def _serve(travellers: Sequence[Traveller], now: datetime) -> Iterator[Record]:
    """Move everybody on, group by group, until all wait, are through, or the passes are used up."""
    ready = workflows.load({traveller.version_id for traveller in travellers})
    for _ in range(MOST_PASSES):
        moving = [one for one in travellers if one.status == RunStatus.RUNNING and one.run_at <= now]
        if not moving:
            return
        yield from endings.end(moving, ready, now)
        _send_back(moving, ready, now)
        for (version_id, step_id, _, size), runs in _grouped(moving, now).items():
            workflow = ready.get(version_id)
            if workflow is None:
                yield from (
                    moves.fail(None, one, Permanent("Its version is gone or cannot be read."), now) for one in runs
                )
                continue
            if not step_id:
                moves.finish(runs, RunStatus.COMPLETED, now)
                continue
            for start in range(0, len(runs), size):
                group = Group(workflow.automation_id, step_id, runs[start : start + size], now)
                yield from _serve_group(workflow, group)


def _send_back(travellers: Sequence[Traveller], ready: Mapping[int, Workflow], now: datetime) -> None:
    """Who was only looked at for the goal or exit goes on waiting: its step is not asked before its time."""
    for one in travellers:
        workflow = ready.get(one.version_id)
        is_early = one.status == RunStatus.RUNNING and one.waits_until is not None and one.waits_until > now
        if is_early and one.run_at <= now and workflow is not None and not workflow.asks_again(one.step_id):
            moves.sleep(workflow, one)


def _grouped(travellers: Sequence[Traveller], now: datetime) -> dict[Key, list[Traveller]]:
    """By version, step and depth; the size says how many at once."""
    groups: dict[Key, list[Traveller]] = defaultdict(list)
    for one in travellers:
        if one.status == RunStatus.RUNNING and one.run_at <= now:
            size = GROUP_SIZES[min(one.attempts, len(GROUP_SIZES) - 1)]
            groups[one.version_id, one.step_id, one.depth, size].append(one)
    return groups


def _serve_group(workflow: Workflow, group: Group) -> list[Record]:
    try:
        with transaction.atomic(), depth.inside(group.runs[0].depth):
            results = _execute(workflow, group)
    except Exception as error:
        if clashes.ends_batch(error):
            raise
        logger.error(
            "Step %s of version %s failed for %s runs",
            group.step_id,
            workflow.version_id,
            len(group.runs),
            exc_info=error,
        )
        return [moves.fail(workflow, one, error, group.now) for one in group.runs]
    moved = [moves.move(workflow, one, results.get(one.id, DONE), group.now) for one in group.runs]
    return [record for record in moved if record is not None]


def _execute(workflow: Workflow, group: Group) -> Results:
    step = workflow.steps.get(group.step_id)
    if step is None:
        raise Permanent(f'This version has no step "{group.step_id}".')
    kind = STEPS.find(step.type)
    return kind.execute(workflows.configuration_of(kind, step), group)
