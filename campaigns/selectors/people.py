"""Who did what: the people of a campaign, filtered by how far they came, in blocks for a file of any size."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet

from audience.models import Event
from campaigns.domain.forecast import ORDER_DAYS
from campaigns.models import Campaign, Target
from common import tenancy
from delivery.models import Engagement, EngagementKind, Message, MessageStatus, SourceType
from segments.patterns import meaning

BLOCK = 5_000
# What people did → how it reads.
DEEDS = {
    "sent": "Were sent it",
    "delivered": "Received it",
    "opened": "Opened",
    "unopened": "Received and did not open",
    "clicked": "Clicked",
    "unclicked": "Opened and did not click",
    "bounced": "Bounced",
    "unsubscribed": "Unsubscribed",
    "refused": "Refused by policy",
    "bought": "Bought within a week after their click",
    "viewed": "Saw the offer",
    "converted": "Took the offer",
}
SENT = Q(status=MessageStatus.SENT)
MESSAGES = {
    "sent": SENT,
    "delivered": SENT & Q(bounced_at=None),
    "opened": Q(opened_at__isnull=False),
    "unopened": SENT & Q(bounced_at=None, opened_at=None),
    "clicked": Q(clicked_at__isnull=False),
    "unclicked": Q(opened_at__isnull=False, clicked_at=None),
    "bounced": Q(bounced_at__isnull=False),
    "unsubscribed": Q(unsubscribed_at__isnull=False),
    "refused": Q(status=MessageStatus.REFUSED),
}
TARGETS = {"viewed": Q(viewed_at__isnull=False), "converted": Q(converted_at__isnull=False)}

# Plan: a range of the targets of one campaign by contact, then per person one probe of messages_by_contact.
PEOPLE_SQL = """
SELECT target.contact_id, target.id, contact.user_id, contact.name, contact.email, message.status, message.reason,
       message.sent_at, message.opened_at, message.clicked_at, message.bounced_at, message.unsubscribed_at,
       target.viewed_at, target.converted_at, target.conversion_value_minor, target.conversion_currency,
       target.is_held_out
  FROM (SELECT * FROM campaigns_target WHERE organization_id = %(organization)s AND campaign_id = %(campaign)s
           AND (contact_id, id) > (%(contact)s, %(target)s) ORDER BY contact_id, id LIMIT %(size)s) AS target
  JOIN audience_contact contact ON contact.id = target.contact_id AND contact.organization_id = %(organization)s
  LEFT JOIN LATERAL (
       SELECT * FROM delivery_message message
        WHERE message.organization_id = %(organization)s AND message.contact_id = target.contact_id
          AND message.source_type = 'campaign' AND message.source_id = %(campaign)s
        ORDER BY message.id DESC LIMIT 1) AS message ON TRUE
 ORDER BY target.contact_id, target.id
"""
HEADER = [
    "User ID", "Name", "Email", "Message", "Reason", "Sent", "Opened", "Clicked", "Bounced", "Unsubscribed",
    "Saw the offer", "Took the offer", "Value", "Currency", "Held out",
]  # fmt: skip


def did(targets: QuerySet[Target], deed: str) -> QuerySet[Target]:
    """Only targets whose person did this; all for a word that is no deed. Plan: messages_by_contact per target."""
    if deed in TARGETS:
        return targets.filter(TARGETS[deed])
    if deed == "bought":
        return targets.filter(Exists(_messages().filter(clicked_at__isnull=False).filter(Exists(_orders()))))
    return targets.filter(Exists(_messages().filter(MESSAGES[deed]))) if deed in MESSAGES else targets


def clicked_on(targets: QuerySet[Target], url: str, place: int | None = None) -> QuerySet[Target]:
    """Only targets whose person clicked this address, or the nth link to it."""
    clicks = Engagement.objects.filter(message=OuterRef("pk"), kind=EngagementKind.CLICK, url=url, is_machine=False)
    if place is not None:
        clicks = clicks.filter(place=place)
    return targets.filter(Exists(_messages().filter(clicked_at__isnull=False).filter(Exists(clicks))))


def people_lines(campaign: Campaign) -> Iterator[tuple[Any, ...]]:
    """Everybody in the campaign with what became of their message, in the order of `HEADER`, block by block."""
    after = (0, 0)
    while rows := _block(campaign.pk, *after):
        yield from (row[2:] for row in rows)
        after = rows[-1][:2]


def _block(campaign_id: int, contact_id: int, target_id: int) -> list[tuple[Any, ...]]:
    with tenancy.engine(), connection.cursor() as cursor:
        values = {"organization": tenancy.required(), "campaign": campaign_id, "contact": contact_id,
                  "target": target_id, "size": BLOCK}  # fmt: skip
        cursor.execute(PEOPLE_SQL, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _orders() -> QuerySet[Event]:
    """Purchases of a message's contact in the week after the click. Plan: event_by_contact, a range of a week."""
    return Event.objects.filter(
        contact=OuterRef("contact_id"),
        definition=meaning.load().definition_id,
        happened_at__gte=OuterRef("clicked_at"),
        happened_at__lt=OuterRef("clicked_at") + timedelta(days=ORDER_DAYS),
    )


def _messages() -> QuerySet[Message]:
    return Message.objects.filter(
        contact=OuterRef("contact_id"), source_type=SourceType.CAMPAIGN, source_id=OuterRef("campaign_id")
    )
