"""What this room throws away by itself: the raw requests that were applied."""

from __future__ import annotations

from datetime import timedelta

from django.db import connection

from common import clock, tenancy

BATCH_DAYS = 7
BLOCK = 5000

# Failed batches stay: they are the dead letters. The primary key is walked from its old end.
PURGE_SQL = """
DELETE FROM audience_ingestbatch WHERE id IN (
    SELECT id FROM audience_ingestbatch WHERE status = 'done' AND processed_at < %s ORDER BY id LIMIT %s)
"""


def purge() -> int:
    """Delete applied requests after a week, in every organisation; returns how many."""
    deleted = 0
    before = clock.now() - timedelta(days=BATCH_DAYS)
    with tenancy.engine(), connection.cursor() as cursor:
        while True:
            cursor.execute(PURGE_SQL, [before, BLOCK])
            gone: int = cursor.rowcount
            deleted += gone
            if gone < BLOCK:
                return deleted
