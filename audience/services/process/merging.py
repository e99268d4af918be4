"""Two contacts become one: events, names and consents move in set statements, the rest fills gaps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from django.db import connection

from audience.domain.identities import Joined, last
from audience.models import Merge
from audience.services.process.states import CUSTOM, FIELDS, State
from common import clock, tenancy

PAIRS = "unnest(%(losers)s::bigint[], %(winners)s::bigint[]) AS pair(loser, winner)"
# One range probe of event_by_contact per partition and loser.
MOVE_EVENTS_SQL = f"""
WITH moved AS (
    UPDATE audience_event AS event SET contact_id = pair.winner FROM {PAIRS}
     WHERE event.organization_id = %(organization)s AND event.contact_id = pair.loser
 RETURNING pair.loser
)
SELECT loser, count(*) FROM moved GROUP BY loser
"""
MOVE_SQL = [
    f"""UPDATE audience_{table} AS moved SET contact_id = pair.winner FROM {PAIRS}
         WHERE moved.organization_id = %(organization)s AND moved.contact_id = pair.loser"""
    for table in ("identity", "consent", "device")
]
# Of the predictions of both under one name the one made last stays.
PREDICTIONS_SQL = [
    f"""INSERT INTO audience_contactprediction AS kept
           (organization_id, contact_id, name, value, band, made_at, valid_until, model_version)
        SELECT DISTINCT ON (moved.name, pair.winner) moved.organization_id, pair.winner, moved.name, moved.value,
               moved.band, moved.made_at, moved.valid_until, moved.model_version
          FROM {PAIRS} JOIN audience_contactprediction moved ON moved.contact_id = pair.loser
         WHERE moved.organization_id = %(organization)s
         ORDER BY moved.name, pair.winner, moved.made_at DESC, moved.id DESC
        ON CONFLICT (organization_id, name, contact_id) DO UPDATE
           SET value = excluded.value, band = excluded.band, made_at = excluded.made_at,
               valid_until = excluded.valid_until, model_version = excluded.model_version
         WHERE excluded.made_at > kept.made_at""",
    """DELETE FROM audience_contactprediction
        WHERE organization_id = %(organization)s AND contact_id = ANY(%(losers)s)""",
]
# Contacts that were merged into a loser earlier now lead to its survivor, so that one step is always enough.
POINT_SQL = f"""
UPDATE audience_contact AS contact SET merged_into_id = pair.winner, updated_at = %(now)s FROM {PAIRS}
 WHERE contact.organization_id = %(organization)s AND (contact.id = pair.loser OR contact.merged_into_id = pair.loser)
"""
RETIRE_SQL = """
UPDATE audience_contact SET user_id = '', email = '', phone = ''
 WHERE organization_id = %(organization)s AND id = ANY(%(losers)s)
"""


def merge(joined: Sequence[Joined], held: dict[int, State]) -> list[tuple[int, int]]:
    """Carry out the merges the resolver found; returns (merged, survivor) pairs. `held` has all their states."""
    if not joined:
        return []
    pairs = [(join.loser.id, last(join.winner).id) for join in joined]
    losers, winners = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    parameters: dict[str, Any] = {
        "losers": losers,
        "winners": winners,
        "organization": tenancy.required(),
        "now": clock.now(),
    }
    with connection.cursor() as cursor:
        cursor.execute(MOVE_EVENTS_SQL, parameters)
        moved: dict[int, int] = dict(cursor.fetchall())
        for statement in [*MOVE_SQL, *PREDICTIONS_SQL, POINT_SQL, RETIRE_SQL]:
            cursor.execute(statement, parameters)
    Merge.objects.bulk_create(
        Merge(
            merged_id=loser,
            survivor_id=winner,
            reason=join.reason[:300],
            event_count=moved.get(loser, 0),
            snapshot=msgspec.to_builtins(held[loser].as_row()),
        )
        for join, (loser, winner) in zip(joined, pairs, strict=True)
    )
    for loser, winner in pairs:
        _inherit(held[winner], held.pop(loser))
    return pairs


def _inherit(winner: State, loser: State) -> None:
    """The survivor takes what it lacks; what both say, the survivor says."""
    for name in FIELDS:
        value = loser.get(name)
        if name == "tags":
            value = sorted({*winner.values.get("tags", []), *(value or [])}) or None
        if value is not None and (winner.get(name) is None or name == "tags"):
            winner.put(name, value)
    for name, value in loser.attributes.items():
        if name not in winner.attributes:
            winner.put(CUSTOM + name, value)
            told_at = loser.times.said_at(CUSTOM + name)
            if told_at is not None and told_at != winner.times.latest:
                winner.times.exceptions[CUSTOM + name] = told_at.isoformat()
    if loser.user_id and not winner.user_id:
        winner.name_user(loser.user_id)
    winner.first_at = min(one for one in (winner.first_at, loser.first_at) if one is not None)
    winner.last_at = max(one for one in (winner.last_at, loser.last_at) if one is not None)
    winner.is_touched = True
