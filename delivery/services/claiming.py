"""Claiming a block of waiting messages: lock, judge, lease, in one short transaction."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
from django.conf import settings
from django.db import connection, transaction

from common import clock, outbox, tenancy
from delivery.models import MessageStatus, Priority
from delivery.notices import MessagesSettled
from delivery.services import holds, policy

LEASE_SECONDS = settings.MESSAGE_LEASE_SECONDS

DUE_SQL = """
SELECT id FROM delivery_message
 WHERE organization_id = %(organization)s AND status = 'queued' AND priority = %(priority)s AND run_at <= %(now)s
 ORDER BY run_at, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
"""

# Plan: both by primary key; `+ 0` as in policy.STANDING_SQL.
RECIPIENTS_SQL = """
SELECT message.id, message.contact_id, message.content_id, message.sender_id, message.kind, message.source_type,
       message.source_id, message.attempts, message.address, message.variables::text AS variables,
       contact.name, contact.email, contact.phone, contact.user_id, contact.status, contact.priority,
       contact.source, contact.value_minor, contact.currency, contact.city, contact.region, contact.country,
       contact.timezone, contact.locale, contact.tags, contact.attributes::text AS attributes
  FROM delivery_message AS message
  JOIN audience_contact AS contact
    ON contact.id = message.contact_id AND contact.organization_id + 0 = %(organization)s
 WHERE message.organization_id + 0 = %(organization)s AND message.id = ANY(%(ids)s) AND message.status = 'sending'
 ORDER BY message.priority, message.run_at, message.id
"""

# What a lapsed lease means: not handed over yet → it waits again; handed over → nobody knows, and it is never
# sent again by itself.
EXPIRE_SQL = """
UPDATE delivery_message
   SET status = CASE WHEN handed_at IS NULL THEN 'queued' ELSE 'uncertain' END,
       reason = CASE WHEN handed_at IS NULL THEN reason ELSE %(reason)s END,
       claimed_at = CASE WHEN handed_at IS NULL THEN NULL ELSE claimed_at END,
       lease_token = NULL, lease_expires_at = NULL
 WHERE id IN (SELECT id FROM delivery_message
               WHERE organization_id = %(organization)s AND status = 'sending' AND lease_expires_at < %(now)s
               LIMIT 5000 FOR UPDATE SKIP LOCKED)
RETURNING id, status, source_type, source_id
"""
WORKER_VANISHED = "The worker that was sending it vanished before the outcome was recorded."


@dataclass(frozen=True)
class Recipient:
    """A claimed message with everything that rendering needs."""

    message_id: int
    contact_id: int
    content_id: int
    sender_id: int | None
    kind: str
    source_type: str
    source_id: int
    attempts: int
    address: str
    variables: dict[str, Any]
    fields: dict[str, Any]  # the contact's standard fields
    attributes: dict[str, Any]


@dataclass(frozen=True)
class Block:
    """What one claim gave: `judged_count` rows were decided, `recipients` of them may go."""

    token: uuid.UUID
    judged_count: int
    recipients: list[Recipient]


def claim(limit: int) -> Block:
    """Take up to `limit` due messages of the current organisation, awaited ones first.

    Claims of one organisation are serialised, so that two workers cannot both find room under a contact's cap.
    Plan: queued_messages from its start; see policy.JUDGE_SQL for the rest.
    """
    now = clock.now()
    token = uuid.uuid4()
    limits = policy.current()
    with transaction.atomic(), tenancy.engine():
        _one_claim_at_a_time()
        holds.keep_as_they_are()
        ids = _due(limit, now)
        if not ids:
            return Block(token, 0, [])
        parameters = policy.judge_parameters(ids, limits, now) | {
            "token": token,
            "lease_expires_at": now + timedelta(seconds=LEASE_SECONDS),
        }
        with connection.cursor() as cursor:
            cursor.execute(policy.JUDGE_SQL, parameters)
            judged = cursor.fetchall()
        announce(row for row in judged if row[1] == MessageStatus.REFUSED)
        allowed = [row[0] for row in judged if row[1] == MessageStatus.SENDING]
        return Block(token, len(judged), _recipients(allowed))


def _one_claim_at_a_time() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('delivery.claim', %s))", [tenancy.required()])


def _due(limit: int, now: datetime) -> list[int]:
    ids: list[int] = []
    with connection.cursor() as cursor:
        for priority in Priority.values:
            if len(ids) < limit:
                parameters: dict[str, Any] = {"organization": tenancy.required(), "priority": priority, "now": now}
                cursor.execute(DUE_SQL, parameters | {"limit": limit - len(ids)})
                ids += [row[0] for row in cursor.fetchall()]
    return ids


def _recipients(ids: list[int]) -> list[Recipient]:
    if not ids:
        return []
    with connection.cursor() as cursor:
        cursor.execute(RECIPIENTS_SQL, {"organization": tenancy.required(), "ids": ids})
        names = [column.name for column in cursor.description]
        return [_recipient(dict(zip(names, row, strict=True))) for row in cursor.fetchall()]


def _recipient(row: dict[str, Any]) -> Recipient:
    variables = msgspec.json.decode(row.pop("variables"))
    attributes = msgspec.json.decode(row.pop("attributes"))
    own = {name: row.pop(name) for name in ("content_id", "sender_id", "kind", "source_type", "source_id")}
    message_id, contact_id = row.pop("id"), row.pop("contact_id")
    attempts, address = row.pop("attempts"), row.pop("address")
    row["id"] = contact_id
    return Recipient(
        message_id=message_id,
        contact_id=contact_id,
        attempts=attempts,
        address=address,
        variables=variables,
        fields=row,
        attributes=attributes,
        **own,
    )


def expire_leases() -> int:
    """Decide what became of messages whose worker vanished; returns how many."""
    parameters: dict[str, Any] = {"organization": tenancy.required(), "now": clock.now(), "reason": WORKER_VANISHED}
    with transaction.atomic(), tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(EXPIRE_SQL, parameters)
        expired = cursor.fetchall()
        announce(row for row in expired if row[1] == MessageStatus.UNCERTAIN)
    return len(expired)


def announce(rows: Iterable[Sequence[Any]]) -> None:
    """Publish MessagesSettled for rows of (id, status, source_type, source_id), one notice per source and status."""
    groups: dict[tuple[str, int, str], list[int]] = defaultdict(list)
    for message_id, status, source_type, source_id in rows:
        groups[(source_type, source_id, status)].append(message_id)
    outbox.publish(
        *(
            MessagesSettled(source_type, source_id, status, ids)
            for (source_type, source_id, status), ids in groups.items()
        )
    )
