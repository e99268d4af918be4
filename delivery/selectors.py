"""Reads of this room."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connection

from audience.models import MessageChannel
from common import clock, tenancy
from delivery.models import Priority

# The message of a lane that is due first. Its order leaves the planner only the index: EXISTS would be planned as a
# walk over all messages, which meets one that waits soon, or, where nothing waits, never.
FIRST_DUE = """
SELECT true FROM delivery_message AS message
 WHERE message.organization_id = {organization} AND message.status = 'queued' AND message.channel = way.channel
   AND message.priority = level.priority AND message.run_at <= %(now)s
 ORDER BY message.run_at LIMIT 1"""

# Plan: per organisation, channel and priority one probe of queued_messages, and one of claims_by_lease; a million
# waiting messages cost no more than one.
DUE_SQL = f"""
SELECT organization.id FROM accounts_organization AS organization
 WHERE (SELECT bool_or(due.is_due)
          FROM unnest(%(priorities)s::smallint[]) AS level(priority)
         CROSS JOIN unnest(%(channels)s::text[]) AS way(channel)
         CROSS JOIN LATERAL ({FIRST_DUE.format(organization="organization.id")}) AS due(is_due))
    OR EXISTS (SELECT 1 FROM delivery_claim AS claim
                WHERE claim.organization_id = organization.id AND claim.lease_expires_at < %(now)s)
"""


def organizations_due() -> list[int]:
    """Organisations with messages to send, or with leases that ran out."""
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(
            DUE_SQL,
            {"priorities": list(Priority.values), "channels": list(MessageChannel.values), "now": clock.now()},
        )
        return [row[0] for row in cursor.fetchall()]


# Plan: at most seven times three probes of queued_messages.
CHANNELS_SQL = f"""
SELECT DISTINCT way.channel, way.place
  FROM unnest(%(channels)s::text[]) WITH ORDINALITY AS way(channel, place)
 CROSS JOIN unnest(%(priorities)s::smallint[]) AS level(priority)
 CROSS JOIN LATERAL ({FIRST_DUE.format(organization="%(organization)s")}) AS due
 ORDER BY way.place
"""


def channels_due(channels: Sequence[str]) -> list[str]:
    """Those of `channels` with messages of the current organisation that are due."""
    parameters: dict[str, Any] = {
        "organization": tenancy.required(),
        "channels": list(channels),
        "priorities": list(Priority.values),
        "now": clock.now(),
    }
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(CHANNELS_SQL, parameters)
        return [row[0] for row in cursor.fetchall()]
