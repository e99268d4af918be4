"""What the ground throws away by itself: delivered notices and kept answers past their use."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection

from common import clock, tenancy

NOTICE_DAYS = 7
ANSWER_DAYS = 3

# Failed deliveries stay until somebody replays or deletes them: they are the dead letters.
PURGE_SQL = """
DELETE FROM common_noticedelivery USING common_outboxnotice AS notice
 WHERE common_noticedelivery.notice_id = notice.id AND common_noticedelivery.status = 'done'
   AND notice.created_at < %(notices_before)s;
DELETE FROM common_outboxnotice AS notice
 WHERE notice.created_at < %(notices_before)s
   AND NOT EXISTS (SELECT 1 FROM common_noticedelivery AS delivery WHERE delivery.notice_id = notice.id);
DELETE FROM common_idempotentanswer WHERE created_at < %(answers_before)s;
"""


def purge() -> None:
    """Delete delivered notices after a week and kept answers after three days, in every organisation."""
    now = clock.now()
    parameters = {
        "notices_before": now - timedelta(days=NOTICE_DAYS),
        "answers_before": now - timedelta(days=ANSWER_DAYS),
    }
    with tenancy.engine(), connection.cursor() as cursor:
        for statement in PURGE_SQL.strip().split(";\n"):
            cursor.execute(statement.rstrip(";"), parameters)


def delete_in_blocks(statement: str, before: datetime, block: int) -> int:
    """Run a DELETE that binds a moment and a LIMIT until it finds less than a block, in every organisation.

    Each block is a statement of its own, so nothing is locked for long. Returns how many rows went.
    """
    deleted = 0
    with tenancy.engine(), connection.cursor() as cursor:
        while True:
            cursor.execute(statement, [before, block])
            gone: int = cursor.rowcount
            deleted += gone
            if gone < block:
                return deleted
