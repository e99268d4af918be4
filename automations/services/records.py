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
LEAST_SHARE = min(WEIGHTS) / sum(WEIGHTS)  # of a batch, that any lane with something due gets
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
           run.waits_until, run.entered_at, run.attempts, run.step_count, run.depth, run.laps::text, run.facts::text
      FROM automations_automationrun AS run
     WHERE run.organization_id = %(organization)s AND run.status = 'running' AND run.weight = share.weight
       AND run.run_at <= %(now)s
     ORDER BY run.run_at, run.id LIMIT share.count FOR UPDATE SKIP LOCKED) AS claimed
"""
# One JSON text is quicker to write and to read than an array for each column.
# Plan: one probe of the primary key per moved run.
MOVE_SQL = """
UPDATE automations_automationrun AS run
   SET status = moved.status, step_id = moved.step_id, run_at = moved.run_at, waiting_since = moved.waiting_since,
       waits_until = moved.waits_until, wakes_on = moved.wakes_on::text[], laps = moved.laps_json::jsonb,
       attempts = moved.attempts, step_count = moved.step_count, error = moved.error,
       exit_reason = moved.exit_reason, finished_at = moved.finished_at
  FROM json_to_recordset(%s::json)
       AS moved(id bigint, status text, step_id text, run_at timestamptz, waiting_since timestamptz,
                waits_until timestamptz, wakes_on text, laps_json text, attempts int, step_count int, error text,
                exit_reason text, finished_at timestamptz)
 WHERE run.id = moved.id AND run.organization_id = %s
"""
RECORD_SQL = """
COPY automations_steprun (organization_id, run_id, automation_id, version_id, seconds, number, step_id, outcome,
                          detail, error, happened_at) FROM STDIN
"""
# What COPY's text form reads as something else.
ESCAPED = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


class Record(msgspec.Struct, gc=False):
    """One StepRun to be; `seconds` after its run's entry."""

    run_id: int
    automation_id: int
    version_id: int
    seconds: int
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
    for one in travellers:
        one.facts_json = ""  # nobody reads it any more, and it may be long
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(MOVE_SQL, [msgspec.json.encode(travellers).decode(), organization_id])
        if records:
            lines = "".join(_line(organization_id, record) for record in records)
            with cursor.copy(RECORD_SQL) as copy:
                copy.write(lines.encode())


def _line(organization_id: int, record: Record) -> str:
    """A row in COPY's text form. Ids of steps and outcomes hold nothing to escape."""
    detail = msgspec.json.encode(record.detail).decode().translate(ESCAPED) if record.detail else "{}"
    error = record.error.translate(ESCAPED) if record.error else ""
    return (
        f"{organization_id}\t{record.run_id}\t{record.automation_id}\t{record.version_id}\t{record.seconds}\t"
        f"{record.number}\t{record.step_id}\t{record.outcome}\t{detail}\t{error}\t{record.happened_at.isoformat()}\n"
    )
