"""Accepting: one durable raw row per request, and nothing else, before the answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import msgspec
from django.db import connection

from accounts import selectors as accounts
from accounts.models import ApiKeyKind
from audience.domain import internal, wire
from audience.domain.internal import InternalEvent
from audience.models import Protocol
from common import clock, doorbell, outbox, tenancy
from common.errors import Unauthorized

# Local settings end with the statement's own transaction, so that one round trip does all of it.
ACCEPT_SQL = """
SELECT set_config('app.organization_id', %(organization)s, true);
INSERT INTO audience_ingestbatch (organization_id, protocol, body, received_at, run_at, event_count)
VALUES (%(organization)s::bigint, %(protocol)s, %(body)s, %(received_at)s, %(received_at)s, %(event_count)s)
RETURNING id
"""


def organization_of(write_key: str) -> int:
    """The organisation a write key belongs to, remembered for some seconds. Raises `Unauthorized`."""
    found = accounts.known_key(write_key, ApiKeyKind.WRITE)
    if found is None:
        raise Unauthorized("The write key is missing, unknown, expired or revoked.")
    return found.organization_id


def accept(organization_id: int, protocol: Protocol, body: bytes, event_count: int, received_at: datetime) -> int:
    """Store one request durably and ring for a worker. `body` is a packed `wire.Envelope`. Returns the batch's id."""
    with connection.cursor() as cursor:
        cursor.execute(
            ACCEPT_SQL,
            {
                "organization": str(organization_id),
                "protocol": str(protocol),
                "body": body,
                "received_at": received_at,
                "event_count": event_count,
            },
        )
        cursor.nextset()
        batch_id: int = cursor.fetchone()[0]
    doorbell.ring("ingest", organization_id)
    return batch_id


def record(events: Sequence[InternalEvent]) -> None:
    """Write events of our own rooms in the caller's transaction; they are processed like all others.

    They keep the depth of what caused them (`outbox.depth`).
    """
    if depth := outbox.depth():
        events = [replace(event, context={**event.context, internal.DEPTH: depth}) for event in events]
    encode = msgspec.json.Encoder().encode
    for start in range(0, len(events), wire.MOST_EVENTS):
        block = events[start : start + wire.MOST_EVENTS]
        body = wire.pack(wire.Envelope([msgspec.Raw(encode(event)) for event in block]))
        accept(tenancy.required(), Protocol.INTERNAL, body, len(block), clock.now())
