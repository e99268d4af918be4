"""Each message id counts once, whoever resends it and however batches are composed the second time."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

from audience.domain.incoming import Incoming
from common import tenancy

# Answers with the keys that were there before, usually none. One index probe per key.
COUNT_SQL = """
WITH given AS (SELECT unnest(%(keys)s::uuid[]) AS key),
     fresh AS (
         INSERT INTO audience_eventkey (organization_id, message_key)
         SELECT %(organization)s, key FROM given
         ON CONFLICT DO NOTHING RETURNING message_key
     )
SELECT key::text FROM given EXCEPT ALL SELECT message_key::text FROM fresh
"""


def only_fresh(messages: Sequence[Incoming]) -> list[Incoming]:
    """The messages that were never counted, the first of each id; their ids are counted from now on."""
    first: dict[str, Incoming] = {}
    for message in messages:
        first.setdefault(message.message_key, message)
    if not first:
        return []
    with connection.cursor() as cursor:
        # Sorted keys: neighbours on the same index page are written together.
        cursor.execute(COUNT_SQL, {"keys": sorted(first), "organization": tenancy.required()})
        known = {row[0] for row in cursor.fetchall()}
    return [message for key, message in first.items() if key not in known]


def forget(keys: Sequence[str]) -> None:
    """Let rejected messages be counted when they are replayed."""
    if keys:
        with connection.cursor() as cursor:
            cursor.execute(
                "DELETE FROM audience_eventkey WHERE organization_id = %s AND message_key = ANY(%s::uuid[])",
                [tenancy.required(), list(keys)],
            )
