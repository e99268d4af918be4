"""What time alone changes: pairs whose `flips_at` has come, and contacts noted while a segment was being built."""

from __future__ import annotations

from typing import Any

from django.db import connection, transaction

from common import clock, doorbell, tenancy
from segments.services import refresh

BLOCK = 5_000

# Plan: one probe of flips_due for each live segment; the first block that is found is enough.
DUE_SQL = """
SELECT due.segment_id, due.contact_id FROM segments_segment segment CROSS JOIN LATERAL (
  SELECT flipcheck.segment_id, flipcheck.contact_id FROM segments_flipcheck flipcheck
  WHERE flipcheck.segment_id = segment.id AND flipcheck.flips_at <= %(now)s
  ORDER BY flipcheck.flips_at LIMIT %(block)s FOR UPDATE OF flipcheck SKIP LOCKED) due
WHERE segment.organization_id = %(organization)s AND segment.status = 'ready' AND segment.is_active
LIMIT %(block)s"""
RECHECK_SQL = """
DELETE FROM segments_recheck WHERE id IN (
  SELECT recheck.id FROM segments_recheck recheck
  JOIN segments_segment segment ON segment.id = recheck.segment_id AND segment.status = 'ready' AND segment.is_active
  WHERE recheck.organization_id = %(organization)s ORDER BY recheck.id LIMIT %(block)s
  FOR UPDATE OF recheck SKIP LOCKED)
RETURNING segment_id, contact_id"""

IS_DUE = """status = 'ready' AND is_active AND (
  EXISTS (SELECT 1 FROM segments_flipcheck lapse
          WHERE lapse.segment_id = segments_segment.id AND lapse.flips_at <= %s)
  OR EXISTS (SELECT 1 FROM segments_recheck noted
             WHERE noted.organization_id = segments_segment.organization_id
               AND noted.segment_id = segments_segment.id))"""


def run(organization_id: int) -> int:
    """WORK `flips`: look again at every pair that is due; returns how many were looked at."""
    worked = 0
    with tenancy.organization(organization_id):
        while looked_at := _block(DUE_SQL) + _block(RECHECK_SQL):
            worked += looked_at
    return worked


def organizations_due() -> list[int]:
    return doorbell.organizations_with("segments_segment", IS_DUE, [clock.now()])


def _block(statement: str) -> int:
    with transaction.atomic():
        refresh.lock_refreshers()
        values: dict[str, Any] = {"organization": tenancy.required(), "now": clock.now(), "block": BLOCK}
        with tenancy.engine(), connection.cursor() as cursor:
            cursor.execute(statement, values)
            pairs = cursor.fetchall()
        refresh.refresh(pairs)
        return len(pairs)
