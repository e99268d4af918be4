"""Taking back messages that nobody has claimed yet: the people they were written for left what wrote them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import connection, transaction

from common import tenancy
from delivery.models import SourceType
from delivery.services import holds

# A claim goes by the holds until its messages are `sending`, so it is over before this, or finds them `cancelled`:
# each is either withdrawn or goes out once, never both.
# Plan: the selection, then one probe of the primary key for each.
WITHDRAW_SQL = """
UPDATE delivery_message AS message SET status = 'cancelled', reason = %(reason)s
  FROM ({chosen}) AS chosen
 WHERE message.id = chosen.message_id AND message.organization_id + 0 = %(organization)s
   AND message.source_type = %(source_type)s AND message.source_id = %(source_id)s
   AND message.status IN ('queued', 'held')
"""


def withdraw_selected(
    select_sql: str, parameters: Mapping[str, Any], *, source_type: SourceType, source_id: int, reason: str
) -> int:
    """Withdraw the messages of a source that a query names (`message_id`) and that wait; returns how many that were.

    In the caller's transaction. What a worker has claimed goes out, or waits again and goes out then. The query runs
    as the tables' owner: it must name the organisation itself. `reason` is a sentence for the ledger.
    """
    own: dict[str, Any] = {
        "organization": tenancy.required(),
        "source_type": source_type.value,
        "source_id": source_id,
        "reason": reason[:300],
    }
    with transaction.atomic(), tenancy.engine(), connection.cursor() as cursor:
        holds.change_alone()
        cursor.execute(WITHDRAW_SQL.format(chosen=select_sql), {**parameters, **own})
        return int(cursor.rowcount)
