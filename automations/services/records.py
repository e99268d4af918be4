"""The engine's three statements: claim due runs, write where they went, write what was done."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from django.db import connection

from automations.steps.base import Traveller
from common import tenancy
from delivery.models import Weight

WEIGHTS = sorted(Weight.values, reverse=True)
# The batch is shared by importance among those lanes that have something due, so that the important go first and
# nobody waits for ever. Plan: per lane the due end of running_runs; locked rows are another engine's.
CLAIM_SQL = """
WITH busy AS (
    SELECT lane.weight FROM unnest(%(weights)s::int[]) AS lane(weight)
     WHERE EXISTS (SELECT 1 FROM automations_automationrun AS run
                    WHERE run.organization_id = %(organization)s AND run.status = 'running'
                      AND run.weight = lane.weight AND run.run_at <= %(now)s)
), share AS (
    SELECT weight, ceil(%(limit)s::numeric * weight / sum(weight) OVER ())::int AS count FROM busy
)
SELECT claimed.* FROM share CROSS JOIN LATERAL (
    SELECT run.id, run.automation_id, run.version_id, run.contact_id, run.step_id, run.run_at, run.waiting_since,
           run.waits_until, run.attempts, run.step_count, run.depth, run.laps::text, run.facts::text
      FROM automations_automationrun AS run
     WHERE run.organization_id = %(organization)s AND run.status = 'running' AND run.weight = share.weight
       AND run.run_at <= %(now)s
     ORDER BY run.run_at, run.id LIMIT share.count FOR UPDATE SKIP LOCKED) AS claimed
"""
# Plan: one probe of the primary key per moved run.
MOVE_SQL = """
UPDATE automations_automationrun AS run
   SET status = moved.status, step_id = moved.step_id, run_at = moved.run_at, waiting_since = moved.waiting_since,
       waits_until = moved.waits_until, wakes_on = moved.wakes_on::text[], laps = moved.laps::jsonb,
       attempts = moved.attempts, step_count = moved.step_count, error = moved.error,
       exit_reason = moved.exit_reason, finished_at = moved.finished_at
  FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[],
              %s::text[], %s::text[], %s::int[], %s::int[], %s::text[], %s::text[], %s::timestamptz[])
       AS moved(id, status, step_id, run_at, waiting_since, waits_until, wakes_on, laps, attempts, step_count, error,
                exit_reason, finished_at)
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


class Record(msgspec.Struct, gc=False):
    """One StepRun to be."""

    run_id: int
    number: int
    step_id: str
    outcome: str
    detail: dict[str, Any]
    error: str
    happened_at: datetime


def claim(now: datetime, limit: int) -> list[Traveller]:
    """Lock about `limit` due runs of the current organisation for this transaction, of each lane the oldest."""
    parameters: dict[str, Any] = {"organization": tenancy.required(), "now": now, "limit": limit, "weights": WEIGHTS}
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(CLAIM_SQL, parameters)
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
        [run.waits_until for run in runs],
        [run.wakes_on for run in runs],
        [run.laps_json for run in runs],
        [run.attempts for run in runs],
        [run.step_count for run in runs],
        [run.error for run in runs],
        [str(run.exit_reason) for run in runs],
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
