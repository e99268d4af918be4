"""What this room throws away by itself: the raw requests that were applied."""

from __future__ import annotations

from datetime import timedelta

from common import clock, housekeeping

BATCH_DAYS = 7
BLOCK = 5000

# Failed batches stay: they are the dead letters. The primary key is walked from its old end.
PURGE_SQL = """
DELETE FROM audience_ingestbatch WHERE id IN (
    SELECT id FROM audience_ingestbatch WHERE status = 'done' AND processed_at < %s ORDER BY id LIMIT %s)
"""


def purge() -> int:
    """Delete applied requests after a week, in every organisation; returns how many."""
    return housekeeping.delete_in_blocks(PURGE_SQL, clock.now() - timedelta(days=BATCH_DAYS), BLOCK)
