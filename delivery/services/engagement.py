"""What a reader decides: leaving and coming back; and first opens and clicks, which come by visits.py."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import F, Func, Value

from audience import selectors as audience_selectors
from audience import services as audience
from audience.models import Consent, ConsentState, Contact, MessageChannel
from common import clock, outbox, tenancy
from delivery.models import Engagement, EngagementKind, Farewell, LeavingReason, Message
from delivery.notices import MessageEngaged
from delivery.services.telling import engagement_event

# The first open and click by a person, whatever order they arrive in. Who clicked has opened, pictures or not.
# Plan: messages by primary key.
FIRST_SQL = """
UPDATE delivery_message AS message
   SET opened_at = least(message.opened_at, first.opened_at), clicked_at = least(message.clicked_at, first.clicked_at)
  FROM unnest(%(ids)s::bigint[], %(opened)s::timestamptz[], %(clicked)s::timestamptz[])
       AS first(id, opened_at, clicked_at)
 WHERE message.id = first.id AND message.organization_id + 0 = %(organization)s
   AND (message.opened_at IS NULL OR message.opened_at > first.opened_at
        OR (first.clicked_at IS NOT NULL AND (message.clicked_at IS NULL OR message.clicked_at > first.clicked_at)))
"""


def mark_first(rows: Sequence[Engagement]) -> None:
    """The first open and click of these messages by a person, whatever order they arrive in; other kinds pass by."""
    opened: dict[int, datetime] = {}
    clicked: dict[int, datetime] = {}
    for row in rows:
        if row.kind in (EngagementKind.OPEN, EngagementKind.CLICK):
            opened[row.message_id] = min(opened.get(row.message_id, row.happened_at), row.happened_at)
        if row.kind == EngagementKind.CLICK:
            clicked[row.message_id] = min(clicked.get(row.message_id, row.happened_at), row.happened_at)
    if not opened:
        return
    parameters: dict[str, Any] = {
        "organization": tenancy.required(),
        "ids": list(opened),
        "opened": list(opened.values()),
        "clicked": [clicked.get(pk) for pk in opened],
    }
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(FIRST_SQL, parameters)


def unsubscribe(message_id: int, *, how: str, only_topic: bool = False) -> bool:
    """Withdraw consent to its channel for whoever got the message; False when there is no such message.

    `only_topic` withdraws the message's topic instead of everything. Doing it again changes nothing.
    """
    with transaction.atomic():
        message = Message.objects.select_for_update().filter(pk=message_id).first()
        if message is None:
            return False
        topic_id = message.topic_id if only_topic else None
        if not _has_withdrawn(message.contact_id, topic_id, message.channel):
            proof = {"message_id": message.pk}
            audience.withdraw_consent([message.contact_id], message.channel, topic_id, how, proof=proof)
        if message.unsubscribed_at is None:
            message.unsubscribed_at = clock.now()
            message.save(update_fields=["unsubscribed_at"])
            row = Engagement.objects.create(
                message=message, kind=EngagementKind.UNSUBSCRIBE, happened_at=message.unsubscribed_at
            )
            audience.record([engagement_event(message, row)])
            outbox.publish(MessageEngaged(message.pk, message.contact_id, EngagementKind.UNSUBSCRIBE, False))
    return True


def resubscribe(message_id: int) -> bool:
    """Take an unsubscribing back, as the person asked on the page; False when there is no such message.

    What was withdrawn with this message is granted again, and nothing beyond it.
    """
    with transaction.atomic():
        message = Message.objects.select_for_update().filter(pk=message_id).first()
        if message is None:
            return False
        if message.unsubscribed_at is not None:
            proof = {"message_id": message.pk}
            for topic_id in _withdrawn_with(message):
                audience.grant_consent(
                    [message.contact_id], message.channel, topic_id, "unsubscribe page", "Subscribe again", proof,
                    is_confirmed=True,
                )  # fmt: skip
            message.unsubscribed_at = None
            message.save(update_fields=["unsubscribed_at"])
    return True


def _withdrawn_with(message: Message) -> list[int | None]:
    """The topics (None: all) withdrawn through this message since it was last taken back."""
    entries = Consent.objects.filter(
        contact_id__in=_people(message.contact_id),
        channel=message.channel,
        state=ConsentState.WITHDRAWN,
        happened_at__gte=message.unsubscribed_at,
        proof__message_id=message.pk,
    )
    found = sorted(set(entries.values_list("topic_id", flat=True)), key=lambda topic_id: topic_id or 0)
    if found:
        return [*found]
    return [None if _has_withdrawn(message.contact_id, None, message.channel) else message.topic_id]


def unsubscribe_address(channel: str, address: str, *, how: str, proof: dict[str, object] | None = None) -> int:
    """Withdraw consent to a channel for everybody with this address: somebody answered with STOP, or wrote to the
    unsubscribe address. Returns how many contacts that were; who said so already is not written again.
    """
    is_phone = channel in (MessageChannel.SMS, MessageChannel.WHATSAPP)
    text = address.strip() if is_phone else address.strip().lower()
    if not text:
        return 0
    living = Contact.objects.filter(merged_into=None)
    if is_phone:
        # The same rule by which the policy reads numbers, however they were typed.
        digits = Func(F("phone"), Value("[^0-9+]"), Value(""), Value("g"), function="regexp_replace")
        living = living.annotate(digits=digits).filter(digits=text)
    else:
        living = living.filter(email=text)
    with transaction.atomic():
        people = living.values_list("pk", flat=True)
        leaving = [pk for pk in people if not _has_withdrawn(pk, None, channel)]
        if leaving:
            audience.withdraw_consent(leaving, channel, None, how, proof=dict(proof or {}))
    return len(leaving)


def tell_reason(message_id: int, reason: str, words: str) -> bool:
    """Why somebody unsubscribed through this message; False when nobody did. Told again, the later words count."""
    message = Message.objects.filter(pk=message_id).first()
    if message is None:
        return False
    if message.unsubscribed_at is not None and reason in LeavingReason.values:
        told = {"contact_id": message.contact_id, "reason": reason, "words": words.strip()[:500]}
        told = {name: value.replace("\x00", "") if isinstance(value, str) else value for name, value in told.items()}
        Farewell.objects.update_or_create(message=message, defaults=told | {"told_at": clock.now()})
    return True


def farewell_of(message_id: int) -> Farewell | None:
    """The reason somebody gave when they left through this message."""
    return Farewell.objects.filter(message_id=message_id).first()


def _has_withdrawn(contact_id: int, topic_id: int | None, channel: str) -> bool:
    """Whether nothing of this scope (a topic, or None: everything) is left to withdraw."""
    states = audience_selectors.consent_states(_people(contact_id)[-1], channel)
    if topic_id is not None:
        return states.get(topic_id) == ConsentState.WITHDRAWN
    return states.get(None) == ConsentState.WITHDRAWN and set(states.values()) == {ConsentState.WITHDRAWN}


def _people(contact_id: int) -> list[int]:
    """The contact, and the one it was merged into since."""
    rows = Contact.objects.filter(pk=contact_id).values_list("pk", "merged_into_id")
    return [pk for row in rows for pk in row if pk is not None] or [contact_id]


def simulate_engagement(opened_ids: Sequence[int], clicked_ids: Sequence[int], url: str = "") -> None:
    """Opens, and clicks on `url`, drawn by the demo: kept, announced and marked as simulated wherever shown."""
    now = clock.now()
    with transaction.atomic():
        for kind, ids, link in ((EngagementKind.OPEN, opened_ids, ""), (EngagementKind.CLICK, clicked_ids, url)):
            messages = {row.pk: row for row in Message.objects.filter(pk__in=ids)}
            rows = Engagement.objects.bulk_create(
                Engagement(
                    message=row, kind=kind, is_simulated=True, happened_at=now, url=link, place=1 if link else 0
                )
                for row in messages.values()
            )
            field = "opened_at" if kind == EngagementKind.OPEN else "clicked_at"
            Message.objects.filter(pk__in=messages, **{field: None}).update(**{field: now})
            audience.record([engagement_event(messages[row.message_id], row) for row in rows])
            outbox.publish(*(MessageEngaged(row.pk, row.contact_id, kind, False) for row in messages.values()))
