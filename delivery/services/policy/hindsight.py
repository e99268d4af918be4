"""What caps would have done to the messages of the last 30 days: the honest half of setting them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection, transaction

from common import clock, tenancy
from delivery.domain.caps import Cap, Sent, refused_count

DAYS = 30
MOST_READ = 50_000  # messages; of more, the contacts are sampled

# Plan: messages_handed_over, a range of 30 days.
COUNT_SQL = """
SELECT count(*) FROM delivery_message
 WHERE organization_id = %(organization)s AND handed_at > %(since)s AND kind <> 'transactional'
   AND source_type <> 'test' AND status IN ('sent', 'uncertain')
"""
# Plan: messages_handed_over, sorted after; whole contacts are in or out, so that no cap loses its count.
READ_SQL = """
SELECT contact_id, kind, channel, topic_id, handed_at FROM delivery_message
 WHERE organization_id = %(organization)s AND handed_at > %(since)s AND kind <> 'transactional'
   AND source_type <> 'test' AND status IN ('sent', 'uncertain')
   AND (hashint8(contact_id) & 2147483647) %% %(share)s = 0
 ORDER BY contact_id, handed_at, id LIMIT %(most)s
"""


@dataclass(frozen=True)
class Hindsight:
    """Of `message_count` messages that went, the caps would have refused `refused_count` (estimated of a sample)."""

    message_count: int
    refused_count: int
    is_sampled: bool

    @property
    def percent(self) -> float:
        return 100 * self.refused_count / self.message_count if self.message_count else 0.0


def look_back(caps: Sequence[Cap]) -> Hindsight:
    """Replay what went in the last 30 days under other caps. What they refused takes no room for what came later.

    It says nothing of what today's caps kept from going.
    """
    values: dict[str, Any] = {
        "organization": tenancy.required(),
        "since": clock.now() - timedelta(days=DAYS),
        "most": 2 * MOST_READ,
    }
    with transaction.atomic(), tenancy.engine(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '10s'")
        cursor.execute(COUNT_SQL, values)
        count: int = cursor.fetchone()[0]
        share = max(1, -(-count // MOST_READ))
        cursor.execute(READ_SQL, values | {"share": share})
        history = [Sent(*row) for row in cursor.fetchall()]
    refused = refused_count(history, caps)
    if share == 1:
        return Hindsight(count, refused, is_sampled=False)
    return Hindsight(count, round(count * refused / len(history)) if history else 0, is_sampled=True)
