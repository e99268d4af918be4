"""Dead letters: runs whose step failed for good, or that a loop guard stopped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction

from accounts import actor, audit
from automations.models import Automation
from automations.services import leaving
from automations.services.entries import WORK
from common import clock, doorbell, tenancy

# Back to where they stood; held while the automation is switched off. The lock keeps it from changing meanwhile.
REPLAY_SQL = """
WITH automation AS (
    SELECT id, is_active FROM automations_automation
     WHERE organization_id = %(organization)s
       AND id IN (SELECT automation_id FROM automations_automationrun WHERE id = ANY(%(runs)s))
     ORDER BY id FOR SHARE
), tried AS (
UPDATE automations_automationrun AS run
   SET status = CASE WHEN automation.is_active THEN 'running' ELSE 'held' END,
       attempts = 0, error = '', run_at = %(now)s
  FROM automation
 WHERE run.organization_id = %(organization)s AND run.id = ANY(%(runs)s) AND run.status = 'failed'
   AND automation.id = run.automation_id
RETURNING run.automation_id, run.id)
SELECT automation_id, array_agg(id) FROM tried GROUP BY 1
"""
BY_HAND = "Taken out of the workflow by hand"
# Taken out, with a record of it where they stood.
TAKE_OUT_SQL = """
WITH gone AS (
    UPDATE automations_automationrun AS run
       SET status = 'cancelled', finished_at = %(now)s, step_count = run.step_count + 1, waiting_since = NULL,
           waits_until = NULL, wakes_on = '{{}}'
     WHERE run.organization_id = %(organization)s AND {scope}
    RETURNING run.*
), record AS (
    INSERT INTO automations_steprun (organization_id, run_id, automation_id, version_id, seconds, number, step_id,
                                     outcome, detail, happened_at)
    SELECT organization_id, id, automation_id, version_id, greatest(0, extract(epoch FROM %(now)s - entered_at))::int,
           step_count, step_id, 'exited', jsonb_build_object('reason', 'taken out by hand', 'by', %(by)s::text),
           %(now)s
      FROM gone
)
SELECT automation_id, array_agg(id) FROM gone GROUP BY 1
"""
DISMISS_SQL = TAKE_OUT_SQL.format(scope="run.id = ANY(%(runs)s) AND run.status IN ('failed', 'running', 'held')")


def replay(run_ids: Sequence[int]) -> int:
    """Try failed runs again from the step where they stand; returns how many. Others are left alone."""
    changed = _change("replay", REPLAY_SQL, run_ids)
    if changed:
        doorbell.ring(WORK)
    return sum(map(len, changed.values()))


def dismiss(run_ids: Sequence[int]) -> int:
    """Take runs out of their workflow for good, and withdraw what waits of their messages; returns how many were
    still inside."""
    with transaction.atomic():
        gone = _change("dismiss", DISMISS_SQL, run_ids)
        for automation_id, ids in gone.items():
            leaving.withdraw(automation_id, ids, BY_HAND)
    return sum(map(len, gone.values()))


def _change(action: str, statement: str, run_ids: Sequence[int]) -> dict[int, list[int]]:
    """automation id → the runs that were changed."""
    parameters: dict[str, Any] = {
        "organization": tenancy.required(),
        "runs": sorted(run_ids),
        "now": clock.now(),
        "by": actor.current().name,
    }
    with transaction.atomic():
        with tenancy.engine(), connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            changed: dict[int, list[int]] = dict(cursor.fetchall())
        for automation in Automation.objects.filter(pk__in=changed):
            audit.record(action, automation, after={"runs": len(changed[automation.pk])})
    return changed
