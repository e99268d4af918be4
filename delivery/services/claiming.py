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
from delivery.domain.caps import SILENT
from delivery.models import Claim, DeliveryPolicy, MessageStatus, Priority
from delivery.notices import MessagesSettled
from delivery.services import holdouts, holds, pacing, policy
from delivery.services.routing import EVERY_EMAIL, Lane

LEASE_SECONDS = settings.MESSAGE_LEASE_SECONDS
MOST_RIVALS = 500  # beside a block

# Plan: queued_messages from its start. Senders are a filter, which matters while one of several is paused.
DUE_SQL = """
SELECT id FROM delivery_message AS message
 WHERE organization_id = %(organization)s AND status = 'queued' AND channel = %(channel)s
   AND priority = %(priority)s AND run_at <= %(now)s
   AND (coalesce(sender_id, 0) = ANY(%(senders)s::bigint[])) = %(is_listed)s {yielding}
 ORDER BY run_at, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
"""

# A cap that names no channel covers them all, and claims are made lane by lane: a message lets a weightier one of
# another open lane that is due go first, and is judged when that has taken its place, or could not.
# Plan: queued_by_contact, once per message; asked only while several channels have something due. An EXISTS might be
# joined to everything that waits.
YIELDING = """
   AND (message.kind = 'transactional' OR (
        SELECT true FROM delivery_message AS other
         WHERE other.organization_id = %(organization)s AND other.contact_id = message.contact_id
           AND other.status = 'queued' AND other.kind <> 'transactional' AND other.kind = message.kind
           AND other.weight > message.weight AND other.run_at <= %(now)s
           AND (other.channel || '' = ANY(%(other_channels)s)
                OR (other.channel || '' = %(split_channel)s
                    AND (coalesce(other.sender_id, 0) = ANY(%(split_senders)s::bigint[])) = %(split_is_listed)s))
         LIMIT 1) IS NULL)"""

# What else is due in the lane for the same contacts is judged together with the block, so that of several messages
# in reach of one cap the weightiest goes, wherever it stands in the queue.
# Plan: queued_by_contact, once per contact; also before PostgreSQL has statistics of a first large campaign, which is
# why it is no join, and why the channel is no index condition (`|| ''`): both led to a walk over all that waits.
RIVALS_SQL = """
SELECT rival.id
  FROM (SELECT DISTINCT contact_id FROM delivery_message
         WHERE organization_id + 0 = %(organization)s AND id = ANY(%(ids)s) AND kind <> 'transactional') AS chosen
 CROSS JOIN LATERAL (
       SELECT message.id, message.weight, message.run_at FROM delivery_message AS message
        WHERE message.organization_id = %(organization)s AND message.contact_id = chosen.contact_id
          AND message.status = 'queued' AND message.kind <> 'transactional' AND message.channel || '' = %(channel)s
          AND (coalesce(message.sender_id, 0) = ANY(%(senders)s::bigint[])) = %(is_listed)s
          AND message.run_at <= %(now)s AND message.id <> ALL(%(ids)s) {yielding}
          FOR UPDATE SKIP LOCKED) AS rival
 ORDER BY rival.weight DESC, rival.run_at, rival.id LIMIT %(limit)s
"""

# Plan: both by primary key; `+ 0` as in policy.STANDING_SQL.
RECIPIENTS_SQL = """
SELECT message.id, message.contact_id, message.channel, message.content_id, message.sender_id, message.kind,
       message.source_type, message.source_id, message.utm_campaign, message.attempts, message.address,
       message.variables::text AS variables,
       contact.name, contact.email, contact.phone, contact.user_id, contact.status, contact.priority,
       contact.source, contact.value_minor, contact.currency, contact.city, contact.region, contact.country,
       contact.timezone, contact.locale, contact.tags, contact.attributes::text AS attributes
  FROM delivery_message AS message
  JOIN audience_contact AS contact
    ON contact.id = message.contact_id AND contact.organization_id + 0 = %(organization)s
 WHERE message.organization_id + 0 = %(organization)s AND message.id = ANY(%(ids)s) AND message.status = 'sending'
 ORDER BY message.priority, message.run_at, message.id
"""

# A claim ends: its worker is done with it, or its lease ran out. Messages without an outcome: not handed over yet →
# they wait again; handed over → nobody knows, and they are never sent again by themselves, unless
# their provider still recognises a second try. Whoever writes to a claim locks its row, so a claim either goes on or
# ends, and a late worker finds nothing to write to.
# Plan: claims by token or by claims_by_lease, messages by primary key.
END_SQL = """
WITH ended AS (
    DELETE FROM delivery_claim
     WHERE id IN (SELECT id FROM delivery_claim
                   WHERE organization_id = %(organization)s AND {which}
                   ORDER BY id LIMIT 20 FOR UPDATE {when_locked})
    RETURNING token, message_ids, flying_ids, flown_at, account_id),
claimed AS (
    SELECT ended.token, ended.flown_at, ended.account_id, one.id, one.id = ANY(ended.flying_ids) AS flew
      FROM ended CROSS JOIN LATERAL unnest(ended.message_ids) AS one(id))
UPDATE delivery_message AS message
   SET status = CASE WHEN claimed.is_doubtful THEN 'uncertain' ELSE 'queued' END,
       reason = CASE WHEN claimed.is_doubtful THEN %(reason)s ELSE message.reason END,
       claimed_at = CASE WHEN claimed.is_doubtful THEN message.claimed_at END,
       handed_at = CASE WHEN claimed.is_doubtful THEN claimed.flown_at END,
       account_id = CASE WHEN claimed.is_doubtful THEN claimed.account_id ELSE message.account_id END,
       lease_token = NULL
  FROM (SELECT claimed.*, claimed.flew AND (channel <> ALL(%(repeatable)s) OR flown_at < %(remembered_since)s)
               AS is_doubtful
          FROM claimed JOIN delivery_message ON delivery_message.id = claimed.id) AS claimed
 WHERE message.id = claimed.id AND message.organization_id + 0 = %(organization)s
   AND message.status = 'sending' AND message.lease_token = claimed.token
RETURNING message.id, message.status, message.source_type, message.source_id
"""
LAPSED_SQL = END_SQL.format(which="lease_expires_at < %(now)s", when_locked="SKIP LOCKED")
FINISHED_SQL = END_SQL.format(which="token = %(token)s", when_locked="")
OWN = ("channel", "content_id", "sender_id", "kind", "source_type", "source_id")
MEMORY = timedelta(hours=1)  # for so long at least a provider that recognises a second try does
WORKER_VANISHED = "The worker that was sending it vanished before the outcome was recorded."

Ended = tuple[int, str, str, int]  # id, status, source type, source id


class Recipient(msgspec.Struct, frozen=True):
    """A claimed message with everything that rendering needs."""

    message_id: int
    contact_id: int
    channel: str
    content_id: int
    sender_id: int | None
    kind: str
    source_type: str
    source_id: int
    utm_campaign: str
    attempts: int
    address: str
    variables: dict[str, Any]
    fields: dict[str, Any]  # the contact's standard fields
    attributes: dict[str, Any]


@dataclass(frozen=True)
class Block:
    """What one claim gave: `judged_count` rows were decided, `recipients` of them may go."""

    token: uuid.UUID
    limits: DeliveryPolicy  # that held when it was claimed
    judged_count: int
    recipients: list[Recipient]


def claim(limit: int, lane: Lane = EVERY_EMAIL, others: Sequence[Lane] = ()) -> Block:
    """Take up to `limit` due messages of a lane of the current organisation, awaited ones first.

    `others`: further lanes that are open and have something due; their weightier messages go first.

    Claims of one organisation are serialised, so that two workers cannot both find room under a contact's cap.
    Plan: queued_messages from its start; see policy.JUDGE_SQL for the rest.
    """
    now = clock.now()
    token = uuid.uuid4()
    limits = policy.current()
    with transaction.atomic(), tenancy.engine():
        one_claim_at_a_time()
        holds.keep_as_they_are()
        ids = _due(limit, lane, others, now)
        if not ids:
            return Block(token, limits, 0, [])
        permit = pacing.admit(ids, now)
        if not permit.ids:
            return Block(token, limits, len(ids), [])
        with connection.cursor() as cursor:
            cursor.execute(policy.JUDGE_SQL, policy.judge_parameters(permit.ids, limits, now) | {"token": token})
            judged = cursor.fetchall()
        announce(row[:4] for row in judged if row[1] == MessageStatus.REFUSED)
        holdouts.note(judged, now)
        allowed = [row[0] for row in judged if row[1] == MessageStatus.SENDING]
        if allowed:
            Claim.objects.create(token=token, message_ids=allowed, lease_expires_at=lease_end())
        pacing.charge(permit, allowed)
        return Block(token, limits, len(judged) + permit.postponed_count, _recipients(allowed))


def lease_end() -> datetime:
    """Until when a claim that is written now holds."""
    return clock.now() + timedelta(seconds=LEASE_SECONDS)


def one_claim_at_a_time() -> None:
    """Until the transaction ends nobody else claims in this organisation, or counts what was claimed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('delivery.claim', %s))", [tenancy.required()])


def _due(limit: int, lane: Lane, others: Sequence[Lane], now: datetime) -> list[int]:
    ids: list[int] = []
    rivals = [] if lane.channel in SILENT else [other for other in others if other.channel not in SILENT]
    yielding = YIELDING if rivals else ""
    parameters: dict[str, Any] = {
        "organization": tenancy.required(),
        "channel": lane.channel,
        "senders": list(lane.senders),
        "is_listed": lane.is_listed,
        "now": now,
        **_other_lanes(rivals),
    }
    with connection.cursor() as cursor:
        for priority in Priority.values:
            if len(ids) < limit:
                cursor.execute(
                    DUE_SQL.format(yielding=yielding), parameters | {"priority": priority, "limit": limit - len(ids)}
                )
                ids += [row[0] for row in cursor.fetchall()]
        if ids:
            cursor.execute(RIVALS_SQL.format(yielding=yielding), parameters | {"ids": ids, "limit": MOST_RIVALS})
            ids += [row[0] for row in cursor.fetchall()]
    return ids


def _other_lanes(rivals: Sequence[Lane]) -> dict[str, Any]:
    """Lanes of whole channels, and the one of e-mail while some of its senders wait."""
    split = next((lane for lane in rivals if lane.senders or lane.is_listed), None)
    return {
        "other_channels": [lane.channel for lane in rivals if lane is not split],
        "split_channel": split.channel if split else None,
        "split_senders": list(split.senders) if split else [],
        "split_is_listed": split is not None and split.is_listed,
    }


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
    own = {name: row.pop(name) for name in OWN}
    utm_campaign = row.pop("utm_campaign") or f"{own['source_type']}-{own['source_id']}"
    message_id, contact_id = row.pop("id"), row.pop("contact_id")
    attempts, address = row.pop("attempts"), row.pop("address")
    row["id"] = contact_id
    return Recipient(
        message_id=message_id,
        contact_id=contact_id,
        utm_campaign=utm_campaign,
        attempts=attempts,
        address=address,
        variables=variables,
        fields=row,
        attributes=attributes,
        **own,
    )


def expire_leases(repeatable: Sequence[str] = (), unchanged_since: datetime | None = None) -> list[Ended]:
    """Decide what became of messages whose worker vanished; returns them.

    `repeatable` are the channels whose providers recognise a message that they have had already, for a while, and
    if it goes to the same one: what left before `unchanged_since` might go to another.
    """
    since = clock.now() - MEMORY
    return _end(LAPSED_SQL, repeatable=list(repeatable), remembered_since=max(since, unchanged_since or since))


def finish(token: uuid.UUID) -> None:
    """Give a claim back. What has no outcome, which is nothing unless a contact vanished, waits again."""
    _end(FINISHED_SQL, token=token, repeatable=[], remembered_since=clock.now())


def _end(statement: str, **parameters: Any) -> list[Ended]:
    common: dict[str, Any] = {"organization": tenancy.required(), "now": clock.now(), "reason": WORKER_VANISHED}
    with transaction.atomic(), tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(statement, common | parameters)
        ended: list[Ended] = cursor.fetchall()
        announce(row for row in ended if row[1] == MessageStatus.UNCERTAIN)
    return ended


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
