"""People inside older versions when a new one is published: they stay, move over, or leave.

Everything is set statements in the transaction that publishes. The workflow's row is locked, so nobody enters
meanwhile; the runs are locked next, which waits for engines at work on them, so nobody is moved in the middle of a
step. What a step has done for somebody is not done again: its effects carry its id (`Group.key`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db import connection

from accounts import actor
from automations import workflows
from automations.domain import tree
from automations.models import Automation, AutomationVersion, ExitReason
from automations.services import leaving
from automations.services.entries import WORK
from automations.services.leaving import SCOPE, Left
from automations.workflows import Workflow
from common import clock, doorbell, tenancy
from common.errors import Invalid


class Mode(StrEnum):
    """What becomes of the people who are inside."""

    KEEP = "keep"  # they finish the version they are on
    MIGRATE = "migrate"  # they go on in the new version, each from the step that stands for theirs
    DRAIN = "drain"  # as keep, and the older versions are marked as closing until they are empty
    EXIT = "exit"  # they leave now


@dataclass(frozen=True)
class Moved:
    """How many went over and how many left; `withdrawn` messages of those who left will not go out."""

    moved: int = 0
    left: int = 0
    withdrawn: int = 0


# step id → the step that stands for it in the new version, None for "leave". Steps that are not named keep their id.
Targets = Mapping[str, str | None]

# Plan: one_run_inside by automation. In the order of ids, as engines lock them.
LOCK_SQL = f"""
SELECT step_id, count(*) FROM (SELECT run.step_id FROM automations_automationrun AS run
                                WHERE {SCOPE} ORDER BY run.id FOR UPDATE) AS held
 GROUP BY step_id
"""
WAYS = "unnest(%(from)s::text[], %(to)s::text[], %(waits)s::text[]) AS way(step_id, target, waits)"
RECORD_SQL = f"""
INSERT INTO automations_steprun (organization_id, run_id, automation_id, version_id, seconds, number, step_id,
                                 outcome, detail, happened_at)
SELECT run.organization_id, run.id, run.automation_id, %(version)s,
       greatest(0, extract(epoch FROM %(now)s - run.entered_at))::int, run.step_count + 1, way.target, 'moved',
       jsonb_build_object('from_version', version.number, 'from_step', run.step_id, 'by', %(by)s::text), %(now)s
  FROM automations_automationrun AS run
  JOIN {WAYS} ON way.step_id = run.step_id
  JOIN automations_automationversion AS version ON version.id = run.version_id
 WHERE {SCOPE}
"""
# `waits` says what becomes of a wait in progress: "kept" to its moment, "asked" whether it goes on (it is looked at
# once, so that it wakes on what the new version says, and keeps its moment), or "over".
MOVE_SQL = f"""
UPDATE automations_automationrun AS run
   SET version_id = %(version)s, step_id = way.target, step_count = run.step_count + 1,
       run_at = CASE WHEN run.waiting_since IS NULL THEN run.run_at
                     WHEN way.waits = 'kept' THEN coalesce(run.waits_until, run.run_at)
                     ELSE least(run.run_at, %(now)s) END,
       waiting_since = CASE WHEN way.waits <> 'over' THEN run.waiting_since END,
       waits_until = CASE WHEN way.waits <> 'over' AND run.waiting_since IS NOT NULL
                          THEN coalesce(run.waits_until, run.run_at) END,
       wakes_on = '{{}}'
  FROM {WAYS}
 WHERE {SCOPE} AND run.step_id = way.step_id
"""
CLOSE_SQL = """
UPDATE automations_automationversion AS version SET closed_at = %(now)s
 WHERE version.organization_id = %(organization)s AND version.automation_id = %(automation)s
   AND version.id <> %(version)s AND version.closed_at IS NULL
   AND EXISTS (SELECT 1 FROM automations_automationrun AS run
                WHERE run.automation_id = version.automation_id AND run.version_id = version.id
                  AND run.status IN ('running', 'held', 'failed'))
"""


def settle(automation: Automation, version: AutomationVersion, mode: Mode, mapping: Targets) -> Moved:
    """Do with the people in older versions what `mode` says; within the caller's transaction and lock.

    Raises `Invalid` with a place for each step that holds people and has nothing to stand for it.
    """
    if mode == Mode.KEEP:
        return Moved()
    names: dict[str, Any] = {
        "organization": tenancy.required(),
        "automation": automation.pk,
        "version": version.pk,
        "now": clock.now(),
        "by": actor.current().name,
    }
    with tenancy.engine(), connection.cursor() as cursor:
        if mode == Mode.DRAIN:
            cursor.execute(CLOSE_SQL, names)
            return Moved()
        cursor.execute(LOCK_SQL, names)
        people = dict(cursor.fetchall())
        names["reason"] = f"Taken out when version {version.number} was published"
        if mode == Mode.EXIT:
            return _moved(0, _leave(names))
        targets = resolve(automation, version, people, mapping)
        gone = [step_id for step_id, target in targets.items() if target is None]
        left = _leave(names, gone) if gone else Left()
        moved = _move(cursor, names, automation, version, targets)
    doorbell.ring(WORK)
    return _moved(moved, left)


def resolve(
    automation: Automation, version: AutomationVersion, people: Mapping[str, int], mapping: Targets
) -> dict[str, str | None]:
    """Where the people on each of these steps go: as the mapping says, otherwise to the step of the same id.

    Raises `Invalid` with `mapping.<step>` for each that has no place to go, and for targets that are not there.
    """
    known = workflows.prepare(version).ways.following.keys()
    problems: dict[str, str] = {}
    for step_id, target in mapping.items():
        if target is not None and target not in known:
            problems[f"mapping.{step_id}"] = f'version {version.number} has no active step "{target}"'
    targets: dict[str, str | None] = {}
    for step_id, count in people.items():
        if not step_id or f"mapping.{step_id}" in problems:
            continue  # at the end: they are through in a moment, whatever the version
        target = mapping.get(step_id, step_id)
        if target is not None and target not in known:
            people_stand = "person stands" if count == 1 else "people stand"
            problems[f"mapping.{step_id}"] = (
                f"{count:,} {people_stand} here, and version {version.number} has no such step;"
                " say which step they go on from, or null to let them leave"
            )
        targets[step_id] = target
    if problems:
        place, sentence = next(iter(problems.items()))
        raise Invalid(f"{place}: {sentence}", code="unmapped_steps", details=problems)
    return targets


def _leave(names: Mapping[str, Any], steps: Sequence[str] | None = None) -> Left:
    return leaving.leave(names, ExitReason.DRAINED, steps)


def _moved(moved: int, left: Left) -> Moved:
    return Moved(moved, left.people, left.messages)


def _move(
    cursor: Any,
    names: Mapping[str, Any],
    automation: Automation,
    version: AutomationVersion,
    targets: Mapping[str, str | None],
) -> int:
    new, olds = workflows.prepare(version), _older_types(automation, version)
    rows = [
        (step_id, target, _waits(olds.get(step_id, ""), new, target))
        for step_id, target in targets.items()
        if target is not None
    ]
    columns = {name: [row[index] for row in rows] for index, name in enumerate(("from", "to", "waits"))}
    cursor.execute(RECORD_SQL, {**names, **columns})
    cursor.execute(MOVE_SQL, {**names, **columns})
    return int(cursor.rowcount)


def _waits(old_type: str, new: Workflow, target: str) -> str:
    if old_type != new.steps[target].type:
        return "over"
    return "asked" if new.endings or new.asks_again(target) else "kept"


def _older_types(automation: Automation, version: AutomationVersion) -> dict[str, str]:
    """The kinds of the older versions' steps by id; where versions differ, as the youngest says."""
    documents = automation.versions.exclude(pk=version.pk).order_by("number").values_list("document", flat=True)
    return {step.id: step.type for document in documents for step in tree.walk(tree.read_steps(document["steps"]))}
