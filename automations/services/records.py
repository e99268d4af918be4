"""The engine's three statements: claim due runs, write where they went, write what was done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from django.db import connection

from automations.steps.base import Traveller
from common import tenancy

# Plan: index running_runs (organization_id, run_at, id), due end first; locked rows are another engine's.
CLAIM_SQL = """
SELECT id, automation_id, version_id, contact_id, step_id, run_at, waiting_since, attempts, step_count, facts::text
  FROM automations_automationrun
 WHERE organization_id = %s AND status = 'running' AND run_at <= %s
 ORDER BY run_at, id LIMIT %s FOR UPDATE SKIP LOCKED
"""
# Plan: one probe of the primary key per moved run.
MOVE_SQL = """
UPDATE automations_automationrun AS run
   SET status = moved.status, step_id = moved.step_id, run_at = moved.run_at, waiting_since = moved.waiting_since,
       attempts = moved.attempts, step_count = moved.step_count, error = moved.error, finished_at = moved.finished_at
  FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::timestamptz[], %s::timestamptz[], %s::int[], %s::int[],
              %s::text[], %s::timestamptz[])
       AS moved(id, status, step_id, run_at, waiting_since, attempts, step_count, error, finished_at)
 WHERE run.id = moved.id AND run.organization_id = %s
"""
# Plan: one probe of the primary key per record, of rows that were moved a moment ago.
RECORD_SQL = """
INSERT INTO automations_steprun (organization_id, run_id, automation_id, version_id, seconds, number, step_id,
                                 outcome, detail, error, happened_at)
SELECT run.organization_id, run.id, run.automation_id, run.version_id,
       greatest(0, extract(epoch FROM record.happened_at - run.entered_at))::int, record.number, record.step_id,
       record.outcome, record.detail, record.error, record.happened_at
  FROM unnest(%s::bigint[], %s::int[], %s::text[], %s::text[], %s::jsonb[], %s::text[], %s::timestamptz[])
       AS record(run_id, number, step_id, outcome, detail, error, happened_at)
  JOIN automations_automationrun AS run ON run.id = record.run_id AND run.organization_id = %s
"""


@dataclass(frozen=True, slots=True)
class Record:
    """One StepRun to be."""

    run_id: int
    number: int
    step_id: str
    outcome: str
    detail: dict[str, Any]
    error: str
    happened_at: datetime


def claim(now: datetime, limit: int) -> list[Traveller]:
    """Lock up to `limit` due runs of the current organisation for this transaction, oldest first."""
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(CLAIM_SQL, [tenancy.required(), now, limit])
        return [Traveller(*row) for row in cursor.fetchall()]


def write(travellers: Sequence[Traveller], records: Sequence[Record]) -> None:
    """Write the moves and the step records of one batch: two statements, whatever their number."""
    organization_id = tenancy.required()
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(MOVE_SQL, [*_move_columns(travellers), organization_id])
        if records:
            cursor.execute(RECORD_SQL, [*_record_columns(records), organization_id])


def _move_columns(runs: Sequence[Traveller]) -> list[list[Any]]:
    return [
        [run.id for run in runs],
        [str(run.status) for run in runs],
        [run.step_id for run in runs],
        [run.run_at for run in runs],
        [run.waiting_since for run in runs],
        [run.attempts for run in runs],
        [run.step_count for run in runs],
        [run.error for run in runs],
        [run.finished_at for run in runs],
    ]


def _record_columns(records: Sequence[Record]) -> list[list[Any]]:
    encode = msgspec.json.encode
    return [
        [record.run_id for record in records],
        [record.number for record in records],
        [record.step_id for record in records],
        [str(record.outcome) for record in records],
        [encode(record.detail).decode() for record in records],
        [record.error for record in records],
        [record.happened_at for record in records],
    ]
