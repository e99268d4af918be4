"""Counts of mails: many small rows that add up are made one, now and then. See `models.counts.MailCount`."""

from __future__ import annotations

from django.db import connection, transaction

from common import tenancy

BLOCK = 2_000  # quarters of an hour at once

# Whoever folds at the same moment leaves it to the first. The lock is a statement of its own, so that what comes
# after it sees all that the one before us folded. What others append meanwhile is not seen and stays.
LOCK_SQL = "SELECT pg_try_advisory_xact_lock(hashtext('delivery.counting'))"

# Plan: mail_counts_to_fold from its start, mail_counts_by_time for each quarter of an hour found.
FOLD_SQL = """
WITH due AS MATERIALIZED (
    SELECT DISTINCT organization_id, left_at
      FROM (SELECT organization_id, left_at FROM delivery_mailcount WHERE NOT is_folded LIMIT %(rows)s) AS waiting
     LIMIT %(block)s),
gone AS (
    DELETE FROM delivery_mailcount AS count USING due
     WHERE count.organization_id = due.organization_id AND count.left_at = due.left_at
    RETURNING count.*),
folded AS (
    INSERT INTO delivery_mailcount (organization_id, left_at, sender_id, recipient_domain, sent, delivered, deferred,
                                    bounced, complained, opened, clicked, is_folded)
    SELECT organization_id, left_at, sender_id, recipient_domain, sum(sent), sum(delivered), sum(deferred),
           sum(bounced), sum(complained), sum(opened), sum(clicked), true
      FROM gone
     GROUP BY organization_id, left_at, sender_id, recipient_domain
    HAVING (sum(sent), sum(delivered), sum(deferred), sum(bounced), sum(complained), sum(opened), sum(clicked))
           <> (0, 0, 0, 0, 0, 0, 0))
SELECT count(*) FROM due
"""


def fold() -> int:
    """Make one row of those that count the same, in every organisation; returns how many quarters of an hour.

    What is appended meanwhile waits for the next time, or a long send would never let it end.
    """
    total = found = _fold_block()
    while found == BLOCK:
        found = _fold_block()
        total += found
    return total


def _fold_block() -> int:
    with transaction.atomic(), tenancy.engine(), connection.cursor() as cursor:
        if not cursor.execute(LOCK_SQL).fetchone()[0]:
            return 0
        cursor.execute(FOLD_SQL, {"rows": BLOCK * 50, "block": BLOCK})
        return int(cursor.fetchone()[0])
