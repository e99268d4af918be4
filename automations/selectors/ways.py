"""What became of the ways of a step: how many went each, how many reached the goal, and who went which lately."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from common import tenancy

LEARNT_FROM = timedelta(days=90)
# Counting reads every run of the workflow, so each process does it this often at most.
KEPT_SECONDS = 300
MOST_KEPT = 2000

# Plan: runs_by_automation, then the step records of each run by one_step_run_per_number.
OUTCOMES_SQL = """
SELECT step_run.detail ->> 'branch', count(*), count(*) FILTER (WHERE run.exit_reason = 'goal')
  FROM automations_automationrun AS run
  JOIN automations_steprun AS step_run ON step_run.run_id = run.id AND step_run.step_id = %(step)s
 WHERE run.organization_id = %(organization)s AND run.automation_id = %(automation)s
   AND run.status IN ('completed', 'exited') AND run.finished_at > %(since)s AND step_run.outcome = 'branched'
 GROUP BY 1
"""
# Plan: one_run_per_entry begins with workflow and contact; then as above.
LATELY_SQL = """
SELECT DISTINCT run.contact_id, step_run.detail ->> 'branch'
  FROM automations_automationrun AS run
  JOIN automations_steprun AS step_run ON step_run.run_id = run.id AND step_run.step_id = %(step)s
 WHERE run.organization_id = %(organization)s AND run.automation_id = %(automation)s
   AND run.contact_id = ANY(%(contacts)s) AND step_run.happened_at > %(since)s AND step_run.outcome = 'branched'
"""


@dataclass(frozen=True)
class Record:
    """How many went a way and are through, and how many of them reached the goal."""

    tried: int = 0
    reached: int = 0


_kept: dict[tuple[int, str], tuple[float, dict[str, Record]]] = {}


def outcomes(automation_id: int, step_id: str, now: datetime) -> dict[str, Record]:
    """Way → its record of the last 90 days, some minutes old at most."""
    key = (automation_id, step_id)
    if key in _kept and _kept[key][0] > time.monotonic():
        return _kept[key][1]
    rows = _ask(OUTCOMES_SQL, automation_id, step_id, now - LEARNT_FROM)
    found = {str(name): Record(tried, reached) for name, tried, reached in rows}
    if len(_kept) >= MOST_KEPT:
        _kept.clear()
    _kept[key] = (time.monotonic() + KEPT_SECONDS, found)
    return found


def forget() -> None:
    """Count anew."""
    _kept.clear()


def lately(automation_id: int, step_id: str, contact_ids: Sequence[int], since: datetime) -> dict[int, set[str]]:
    """Contact → the ways they went since then."""
    found: dict[int, set[str]] = defaultdict(set)
    for contact_id, name in _ask(LATELY_SQL, automation_id, step_id, since, contacts=list(contact_ids)):
        found[contact_id].add(str(name))
    return found


def _ask(statement: str, automation_id: int, step_id: str, since: datetime, **more: Any) -> list[tuple[Any, ...]]:
    parameters: dict[str, Any] = {
        "organization": tenancy.required(),
        "automation": automation_id,
        "step": step_id,
        "since": since,
        **more,
    }
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())
