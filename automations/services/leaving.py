"""Out at once: everybody, or who stands on some steps, leaves; messages of theirs that wait are withdrawn with them.

Set statements in the caller's transaction, which holds the workflow's row, so nobody enters meanwhile. The caller
has locked the runs too, which waits for engines at work on them: what those queued is there to be withdrawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from accounts import actor, audit
from automations.models import Automation, ExitReason
from automations.services.automations import deactivate, lock
from common import clock, tenancy
from delivery import services as delivery
from delivery.models import SourceType

# Who is inside, in another version than this one.
SCOPE = """
       run.organization_id = %(organization)s AND run.automation_id = %(automation)s
   AND run.version_id <> %(version)s AND run.status IN ('running', 'held', 'failed')
"""
NO_VERSION = 0  # everybody is in another one
LEAVING = f"{SCOPE} AND (%(steps)s::text[] IS NULL OR run.step_id = ANY(%(steps)s))"
# Plan: one_run_inside by automation. In the order of ids, as engines lock them.
LOCK_SQL = f"""
SELECT count(*) FROM (SELECT 1 FROM automations_automationrun AS run WHERE {SCOPE} ORDER BY run.id FOR UPDATE) AS held
"""
# Messages are found by their keys (`steps.base.Group.key`).
# Plan: messages_by_source for what waits, then one probe of the runs' primary key each; joined to the runs it might
# be looked through once for each of them.
RUN_ID = "substring(message.idempotency_key from '^automation:([0-9]{1,18}):')::bigint"
WAITING_SQL = """
SELECT message.id AS message_id FROM delivery_message AS message
 WHERE message.organization_id = %(organization)s AND message.source_type = 'automation'
   AND message.source_id = %(automation)s AND message.status IN ('queued', 'held') AND
"""
MESSAGES_SQL = f"""{WAITING_SQL}
       (SELECT true FROM automations_automationrun AS run WHERE run.id = {RUN_ID} AND {LEAVING} LIMIT 1)
"""
MESSAGES_OF_RUNS_SQL = f"{WAITING_SQL} {RUN_ID} = ANY(%(runs)s)"
RECORD_SQL = f"""
INSERT INTO automations_steprun (organization_id, run_id, automation_id, version_id, seconds, number, step_id,
                                 outcome, detail, happened_at)
SELECT run.organization_id, run.id, run.automation_id, run.version_id,
       greatest(0, extract(epoch FROM %(now)s - run.entered_at))::int, run.step_count + 1, run.step_id, 'exited',
       jsonb_build_object('reason', %(reason)s::text, 'by', %(by)s::text), %(now)s
  FROM automations_automationrun AS run
 WHERE {LEAVING}
"""
LEAVE_SQL = f"""
UPDATE automations_automationrun AS run
   SET status = 'exited', exit_reason = %(exit_reason)s, finished_at = %(now)s, step_id = '', waiting_since = NULL,
       waits_until = NULL, wakes_on = '{{}}', step_count = run.step_count + 1, error = ''
 WHERE {LEAVING}
"""


@dataclass(frozen=True)
class Left:
    """How many people left, and how many messages of theirs will not go out."""

    people: int = 0
    messages: int = 0


def leave(names: Mapping[str, Any], why: ExitReason, steps: Sequence[str] | None = None) -> Left:
    """Take out who stands on these steps (everybody without): withdraw what waits, write a record each, let them go.

    `names`: organization, automation, version (whose people stay), now, by, and the `reason` that pages show.
    """
    parameters = {**names, "exit_reason": why.value, "steps": steps if steps is None else list(steps)}
    withdrawn = _withdraw(MESSAGES_SQL, parameters)
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(RECORD_SQL, parameters)
        cursor.execute(LEAVE_SQL, parameters)
        return Left(int(cursor.rowcount), withdrawn)


def withdraw(automation_id: int, run_ids: Sequence[int], reason: str) -> int:
    """Withdraw what waits of the messages of these runs, which the caller has just taken out; returns how many."""
    names = {"automation": automation_id, "runs": list(run_ids), "reason": reason}
    return _withdraw(MESSAGES_OF_RUNS_SQL, {"organization": tenancy.required(), **names})


def _withdraw(messages_sql: str, names: Mapping[str, Any]) -> int:
    return delivery.withdraw_selected(
        messages_sql,
        names,
        source_type=SourceType.AUTOMATION,
        source_id=names["automation"],
        reason=f"{names['reason']}.",
    )


def stop(automation: Automation) -> Left:
    """Switch a workflow off and take everybody out who is inside; audited. Also when it is switched off already."""
    names: dict[str, Any] = {
        "organization": tenancy.required(),
        "automation": automation.pk,
        "version": NO_VERSION,
        "now": clock.now(),
        "by": actor.current().name,
        "reason": "Taken out when the workflow was stopped",
    }
    with transaction.atomic():
        held = lock(automation.pk)
        if held.is_active:
            deactivate(held)
        with tenancy.engine(), connection.cursor() as cursor:
            cursor.execute(LOCK_SQL, names)
        left = leave(names, ExitReason.STOPPED)
        audit.record("stop", held, after={"left": left.people, "withdrawn": left.messages})
    return left
