"""The way in: whoever wants to talk writes rows here, once per idempotency key (architecture §2.8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec
from django.db import connection, transaction

from common import clock, doorbell, tenancy
from common.errors import Invalid, NotFound
from delivery.models import Content, Hold, Message, MessageKind, MessageStatus, Priority, SourceType, Weight
from delivery.services import holds

WORK = "messages"
PRIORITIES = {SourceType.CAMPAIGN: Priority.BULK, SourceType.TEST: Priority.AWAITED}
BLOCK = 10_000

# Born held or cancelled when the source is. Contacts of another organisation fall out of the join.
INSERT_SQL = """
INSERT INTO delivery_message (
       organization_id, idempotency_key, contact_id, variables, address, content_id, channel, kind, topic_id,
       source_type, source_id, sender_id, utm_campaign, priority, weight, expires_at, status, run_at, created_at)
SELECT %(organization)s, chosen.idempotency_key, chosen.contact_id, {variables}, {address}, %(content)s,
       %(channel)s, %(kind)s, %(topic)s, %(source_type)s, %(source_id)s, %(sender)s, %(utm_campaign)s, %(priority)s,
       %(weight)s, {expires_at}, %(status)s, {run_at}, %(now)s
  FROM ({chosen}) AS chosen
  JOIN audience_contact AS contact
    ON contact.id = chosen.contact_id AND contact.organization_id + 0 = %(organization)s
 ORDER BY chosen.contact_id, chosen.idempotency_key
    ON CONFLICT (organization_id, idempotency_key) DO NOTHING
"""
EVERYBODY_AT = {"run_at": "%(run_at)s", "expires_at": "%(expires_at)s"}
EACH_AT = {"run_at": "chosen.run_at", "expires_at": "chosen.run_at + make_interval(hours => %(shelf_hours)s)"}
ITEMS_SQL = """
SELECT * FROM unnest(%(contact_ids)s::bigint[], %(keys)s::text[], %(variables)s::text[], %(addresses)s::text[])
           AS item(contact_id, idempotency_key, variables, address)
"""


@dataclass(frozen=True)
class Outgoing:
    """One message to one contact; a second one with the same key is not written."""

    contact_id: int
    idempotency_key: str
    variables: Mapping[str, Any] = field(default_factory=dict)
    address: str = ""  # of a colleague, for tests only; the contact's own otherwise


def queue(
    items: Sequence[Outgoing],
    *,
    content_id: int,
    source_type: str,
    source_id: int,
    topic_id: int | None = None,
    run_at: datetime | None = None,
    sender_id: int | None = None,
    utm_campaign: str = "",
    weight: int = Weight.NORMAL,
    shelf_hours: int | None = None,
) -> int:
    """Write messages in the caller's transaction and wake a sender; returns how many were new.

    Of several messages to one contact in reach of a cap the one of the greater `weight` goes. A message that has
    not gone `shelf_hours` after `run_at` is refused; within them it waits for room under the caps.
    """
    statement = INSERT_SQL.format(
        variables="chosen.variables::jsonb", address="chosen.address", chosen=ITEMS_SQL, **EVERYBODY_AT
    )
    with transaction.atomic():
        common = _common(content_id, source_type, source_id, topic_id, run_at, sender_id, utm_campaign)
        common |= _ranking(common["run_at"], weight, shelf_hours)
        blocks = (items[start : start + BLOCK] for start in range(0, len(items), BLOCK))
        return sum(_insert(statement, common | _columns(block, source_type)) for block in blocks)


def _columns(items: Sequence[Outgoing], source_type: str) -> dict[str, Any]:
    is_test = source_type == SourceType.TEST
    return {
        "contact_ids": [item.contact_id for item in items],
        "keys": [item.idempotency_key for item in items],
        "variables": [msgspec.json.encode(item.variables).decode() for item in items],
        "addresses": [item.address if is_test else "" for item in items],
    }


def queue_selected(
    select_sql: str,
    parameters: Mapping[str, Any],
    *,
    content_id: int,
    source_type: str,
    source_id: int,
    topic_id: int | None = None,
    run_at: datetime | None = None,
    sender_id: int | None = None,
    utm_campaign: str = "",
    weight: int = Weight.NORMAL,
    shelf_hours: int | None = None,
    is_timed: bool = False,
) -> int:
    """Write a message for every row of a query that yields `contact_id, idempotency_key`; returns how many were new.

    `is_timed`: the query also yields `run_at`, each message's own moment. The query runs as the tables' owner: it
    must name the organisation itself. `parameters` are bound by name.
    """
    with transaction.atomic():
        common = _common(content_id, source_type, source_id, topic_id, run_at, sender_id, utm_campaign)
        common |= _ranking(common["run_at"], weight, shelf_hours)
        clash = common.keys() & parameters.keys() - {"organization"}
        if clash:
            raise ValueError(f"parameters of a selection may not be called {', '.join(sorted(clash))}")
        times = EACH_AT if is_timed else EVERYBODY_AT
        statement = INSERT_SQL.format(variables="'{}'::jsonb", address="''", chosen=select_sql, **times)
        return _insert(statement, {**parameters, **common})


def _common(
    content_id: int,
    source_type: str,
    source_id: int,
    topic_id: int | None,
    run_at: datetime | None,
    sender_id: int | None,
    utm_campaign: str,
) -> dict[str, Any]:
    if source_type not in SourceType.values:
        raise Invalid(f'Unknown source "{source_type}"; known: {", ".join(SourceType.values)}.')
    content = Content.objects.filter(pk=content_id).first()
    if content is None:
        raise NotFound(f"There is no content {content_id}.")
    holds.keep_as_they_are()
    now = clock.now()
    is_awaited = content.kind == MessageKind.TRANSACTIONAL
    priority = Priority.AWAITED if is_awaited else PRIORITIES.get(SourceType(source_type), Priority.PROMPT)
    return {
        "organization": tenancy.required(),
        "content": content.pk,
        "channel": content.channel,
        "kind": content.kind,
        "topic": topic_id,
        "source_type": source_type,
        "source_id": source_id,
        "sender": sender_id,
        "utm_campaign": utm_campaign[:100],
        "priority": int(priority),
        "status": _birth_status(source_type, source_id),
        "run_at": run_at or now,
        "now": now,
    }


def _ranking(run_at: datetime, weight: int, shelf_hours: int | None) -> dict[str, Any]:
    if weight not in Weight.values:
        raise Invalid(f"A weight is one of {', '.join(map(str, Weight.values))}, not {weight}.")
    if shelf_hours is not None and shelf_hours < 1:
        raise Invalid("A message keeps for at least an hour; leave the shelf life out for no end.")
    expires_at = run_at + timedelta(hours=shelf_hours) if shelf_hours is not None else None
    return {"weight": int(weight), "expires_at": expires_at, "shelf_hours": shelf_hours}


def _birth_status(source_type: str, source_id: int) -> str:
    hold = Hold.objects.filter(source_type=source_type, source_id=source_id).first()
    if hold is None:
        return MessageStatus.QUEUED
    return MessageStatus.CANCELLED if hold.is_final else MessageStatus.HELD


def _insert(statement: str, parameters: dict[str, Any]) -> int:
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        count: int = cursor.rowcount
    doorbell.ring(WORK)
    return count


def hold(source_type: str, source_id: int) -> int:
    """Pause a source: what has not left waits, and so does what it still writes. Returns how many wait."""
    with transaction.atomic():
        holds.change_alone()
        Hold.objects.get_or_create(source_type=source_type, source_id=source_id)
        return _move(source_type, source_id, (MessageStatus.QUEUED,), MessageStatus.HELD)


def release(source_type: str, source_id: int) -> int:
    """Let a paused source go on. Returns how many messages go out now."""
    with transaction.atomic():
        holds.change_alone()
        Hold.objects.filter(source_type=source_type, source_id=source_id, is_final=False).delete()
        if Hold.objects.filter(source_type=source_type, source_id=source_id).exists():
            return 0
        count = _move(source_type, source_id, (MessageStatus.HELD,), MessageStatus.QUEUED)
        doorbell.ring(WORK)
        return count


def cancel(source_type: str, source_id: int) -> int:
    """Stop a source for good: what has not left never will. Returns how many messages that were."""
    with transaction.atomic():
        holds.change_alone()
        Hold.objects.update_or_create(source_type=source_type, source_id=source_id, defaults={"is_final": True})
        return _move(source_type, source_id, (MessageStatus.QUEUED, MessageStatus.HELD), MessageStatus.CANCELLED)


def _move(source_type: str, source_id: int, before: Sequence[str], after: str) -> int:
    waiting = Message.objects.filter(source_type=source_type, source_id=source_id, status__in=before)
    return waiting.update(status=after)
