"""Goal and exit: who meets one of these rules leaves, wherever in the workflow they stand.

Looked at before each step. Whoever waits is woken by what the rules read (`services.watches`), and at the moment at
which time alone may change an answer.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from django.db import transaction

from automations.models import ExitReason, RunStatus, StepOutcome
from automations.services import clashes, moves
from automations.services.records import Record
from automations.steps import reading
from automations.steps.base import Traveller
from automations.workflows import Workflow
from segments import rules
from segments import selectors as segments
from segments.selectors import Verdict

logger = logging.getLogger(__name__)

OUTCOMES = {ExitReason.GOAL: StepOutcome.GOAL, ExitReason.EXIT_RULE: StepOutcome.EXITED}
REASONS = {ExitReason.GOAL: "reached the goal", ExitReason.EXIT_RULE: "met the exit rule"}


def end(moving: Sequence[Traveller], ready: Mapping[int, Workflow], now: datetime) -> list[Record]:
    """Take out who has reached the goal of their version or meets its exit rule: one question per rule."""
    by_version: dict[int, list[Traveller]] = defaultdict(list)
    for one in moving:
        workflow = ready.get(one.version_id)
        if workflow is not None and workflow.endings and one.step_id:
            by_version[one.version_id].append(one)
    found: list[Record] = []
    for version_id, runs in by_version.items():
        found += _of_version(ready[version_id], runs, now)
    return found


def _of_version(workflow: Workflow, runs: Sequence[Traveller], now: datetime) -> list[Record]:
    try:
        with transaction.atomic():
            answers = _ask(workflow, {one.contact_id for one in runs})
    except Exception as error:
        if clashes.ends_batch(error):
            raise
        logger.error("The goal or exit of version %s cannot be asked", workflow.version_id, exc_info=error)
        return [moves.fail(None, one, error, now) for one in runs]
    met: dict[ExitReason, list[Traveller]] = defaultdict(list)
    for one in runs:
        verdicts = [(reason, answer.get(one.contact_id)) for reason, answer in answers]
        reason = next((reason for reason, verdict in verdicts if verdict is not None and verdict.is_match), None)
        one.flips_at = _earliest(verdict for _, verdict in verdicts)
        if reason is not None:
            met[reason].append(one)
    return [record for reason, gone in met.items() for record in _leave(workflow, reason, gone, now)]


def _leave(workflow: Workflow, reason: ExitReason, gone: Sequence[Traveller], now: datetime) -> Iterator[Record]:
    facts = reading.kept([workflow.endings[reason]], {one.contact_id for one in gone})
    for one in gone:
        detail = {"reason": REASONS[reason]} | facts.get(one.contact_id, {})
        yield moves.written(one, OUTCOMES[reason], now, detail=detail)
    moves.finish(gone, RunStatus.EXITED, now, reason)


def _ask(workflow: Workflow, contact_ids: set[int]) -> list[tuple[ExitReason, dict[int, Verdict]]]:
    """The goal first: who meets both has reached it."""
    return [
        (reason, {verdict.contact_id: verdict for verdict in segments.verdicts(rule, sorted(contact_ids))})
        for reason, rule in ((name, rules.parse_stored(raw)) for name, raw in workflow.endings.items())
    ]


def _earliest(verdicts: Iterable[Verdict | None]) -> datetime | None:
    return min((each.flips_at for each in verdicts if each is not None and each.flips_at is not None), default=None)
