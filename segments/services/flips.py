"""What time alone changes: pairs whose `flips_at` has come, and contacts noted while a segment was being built."""

from __future__ import annotations

from typing import Any

from django.db import connection, transaction

from common import clock, doorbell, tenancy
from segments.services import refresh

BLOCK = 5_000

# Plan: flips_due gives the due rows in order; the segment is a look-up by key.
DUE_SQL = """
SELECT flipcheck.segment_id, flipcheck.contact_id FROM segments_flipcheck flipcheck
JOIN segments_segment segment ON segment.id = flipcheck.segment_id AND segment.status = 'ready' AND segment.is_active
WHERE flipcheck.organization_id = %(organization)s AND flipcheck.flips_at <= %(now)s
ORDER BY flipcheck.flips_at LIMIT %(block)s FOR UPDATE OF flipcheck SKIP LOCKED"""
RECHECK_SQL = """
DELETE FROM segments_recheck WHERE id IN (
  SELECT recheck.id FROM segments_recheck recheck
  JOIN segments_segment segment ON segment.id = recheck.segment_id AND segment.status = 'ready' AND segment.is_active
  WHERE recheck.organization_id = %(organization)s ORDER BY recheck.id LIMIT %(block)s
  FOR UPDATE OF recheck SKIP LOCKED)
RETURNING segment_id, contact_id"""

SERVES = "EXISTS (SELECT 1 FROM segments_segment s WHERE s.id = segment_id AND s.status = 'ready' AND s.is_active)"


def run(organization_id: int) -> int:
    """WORK `flips`: look again at every pair that is due; returns how many were looked at."""
    worked = 0
    with tenancy.organization(organization_id):
        while looked_at := _block(DUE_SQL) + _block(RECHECK_SQL):
            worked += looked_at
    return worked


def organizations_due() -> list[int]:
    due = doorbell.organizations_with("segments_flipcheck", f"flips_at <= %s AND {SERVES}", [clock.now()])
    return sorted({*due, *doorbell.organizations_with("segments_recheck", SERVES)})


def _block(statement: str) -> int:
    with transaction.atomic():
        refresh.lock_refreshers()
        values: dict[str, Any] = {"organization": tenancy.required(), "now": clock.now(), "block": BLOCK}
        with tenancy.engine(), connection.cursor() as cursor:
            cursor.execute(statement, values)
            pairs = cursor.fetchall()
        refresh.refresh(pairs)
        return len(pairs)
