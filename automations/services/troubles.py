"""Dead letters by cause: all that failed alike tried again, or taken out, in one statement however many they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from accounts import actor, audit
from automations.models import Automation
from automations.services import leaving
from automations.services.entries import WORK
from automations.services.letters import BY_HAND, TAKE_OUT_SQL
from common import clock, doorbell, tenancy

# The same words with other numbers are the same cause: ids and counts differ from run to run.
CAUSE_SQL = r"regexp_replace({error}, '\d+', '#', 'g')"
SCOPE = f"""
       run.organization_id = %(organization)s AND run.automation_id = %(automation)s AND run.status = 'failed'
   AND run.step_id = %(step)s AND {CAUSE_SQL.format(error="run.error")} = %(cause)s
"""
# Plan: failed_runs by automation and step. In the order of ids, so that two who press at once do not meet.
LOCK_SQL = f"""
SELECT coalesce(array_agg(id), '{{}}') FROM (SELECT run.id FROM automations_automationrun AS run
                                           WHERE {SCOPE} ORDER BY run.id FOR UPDATE) AS held
"""
REPLAY_SQL = f"""
UPDATE automations_automationrun AS run
   SET status = %(status)s, attempts = 0, error = '', run_at = %(now)s
 WHERE {SCOPE}
"""
DISMISS_SQL = TAKE_OUT_SQL.format(scope=SCOPE)


@dataclass(frozen=True)
class Cause:
    """Failed runs of one workflow on one step that failed alike; `words` with every number as #."""

    automation_id: int
    step_id: str
    words: str


def replay_all(cause: Cause) -> int:
    """Try all of them again from where they stand; returns how many. Held while the workflow is switched off."""
    with transaction.atomic():
        automation = _lock(cause)
        if automation is None:
            return 0
        status = "running" if automation.is_active else "held"
        count = len(_run(cause, REPLAY_SQL, status=status))
        if count:
            audit.record("replay", automation, after={"runs": count, "cause": cause.words, "step": cause.step_id})
            transaction.on_commit(lambda: doorbell.ring(WORK))
    return count


def dismiss_all(cause: Cause) -> int:
    """Take all of them out of the workflow for good, and withdraw what waits of their messages; returns how many."""
    with transaction.atomic():
        automation = _lock(cause)
        if automation is None:
            return 0
        gone = _run(cause, DISMISS_SQL, by=actor.current().name)
        if gone:
            leaving.withdraw(automation.pk, gone, BY_HAND)
            after = {"runs": len(gone), "cause": cause.words, "step": cause.step_id}
            audit.record("dismiss", automation, after=after)
    return len(gone)


def _lock(cause: Cause) -> Automation | None:
    """The workflow, which is not switched meanwhile."""
    return Automation.objects.select_for_update(no_key=True).filter(pk=cause.automation_id).first()


def _run(cause: Cause, statement: str, **more: object) -> list[int]:
    """The runs that were changed."""
    names: dict[str, Any] = {
        "organization": tenancy.required(),
        "automation": cause.automation_id,
        "step": cause.step_id,
        "cause": cause.words,
        "now": clock.now(),
        **more,
    }
    with tenancy.engine(), connection.cursor() as cursor:
        run_ids: list[int] = cursor.execute(LOCK_SQL, names).fetchone()[0]
        cursor.execute(statement, names)
    return run_ids
