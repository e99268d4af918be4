"""The inbox of one contact inside the customer's app, and what the contact does with it."""

from __future__ import annotations

from datetime import timedelta

from django.core import signing
from django.db import transaction
from django.db.models import Q, QuerySet

from audience import services as audience
from audience.message_events import MessageEvent
from audience.models import Contact
from common import clock, outbox, tenancy
from common.errors import Conflict, NotFound
from delivery.models import Engagement, EngagementKind, InboxMessage, Message
from delivery.notices import MessageEngaged
from delivery.services.engagement import mark_first
from delivery.services.telling import engagement_event, happening

PREFIX = "ct_"
SALT = "groundswell.delivery.contact"
LONGEST_TOKEN_LIFE = timedelta(days=30)
TIMES = {"opened": "read_at", "clicked": "clicked_at", "dismissed": "dismissed_at"}


def issue_token(contact: Contact, lasts: timedelta) -> str:
    """A token with which an app shows this contact's inbox and registers its device, and can do nothing else."""
    until = clock.now() + min(lasts, LONGEST_TOKEN_LIFE)
    return PREFIX + signing.dumps([tenancy.required(), contact.pk, int(until.timestamp())], salt=SALT)


def read_token(token: str) -> tuple[int, int] | None:
    """(organisation, contact) of a good token, or None for any other text."""
    try:
        organization_id, contact_id, until = signing.loads(token.removeprefix(PREFIX), salt=SALT)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return (organization_id, contact_id) if until > clock.now().timestamp() else None


def living_contact(contact_id: int) -> Contact:
    """The contact, or the one it was merged into since. Raises `NotFound`."""
    row = Contact.objects.select_related("merged_into").filter(pk=contact_id).first()
    if row is None:
        raise NotFound(f"There is no contact {contact_id}.", code="unknown_contact")
    return row.merged_into or row


def of(contact: Contact) -> QuerySet[InboxMessage]:
    """What the contact's inbox shows: neither dismissed nor expired, also what came before a merge."""
    ids = [contact.pk, *Contact.objects.filter(merged_into=contact).values_list("pk", flat=True)]
    standing = Q(expires_at=None) | Q(expires_at__gt=clock.now())
    return InboxMessage.objects.filter(standing, contact_id__in=ids, dismissed_at=None)


def mark(row: InboxMessage, what: str) -> InboxMessage:
    """The contact `opened`, `clicked` or `dismissed` a message. Who clicked has opened. Again changes nothing.

    Raises `Conflict` for a click on a message that leads nowhere.
    """
    if what == "clicked" and not row.url:
        raise Conflict("This message leads nowhere, so there is nothing to click.", code="no_url")
    with transaction.atomic():
        held = InboxMessage.objects.select_for_update().get(pk=row.pk)
        for each in ["opened", "clicked"] if what == "clicked" else [what]:
            if getattr(held, TIMES[each]) is None:
                setattr(held, TIMES[each], clock.now())
                _tell(held, each)
        held.save(update_fields=list(TIMES.values()))
    return held


def _tell(row: InboxMessage, what: str) -> None:
    """Keep the engagement, announce it, and let it return as an event."""
    message = Message.objects.filter(pk=row.message_id).first()
    if message is None:
        return
    if what == "dismissed":
        audience.record([happening(message, MessageEvent.DISMISSED, clock.now())])
        return
    kind = EngagementKind.OPEN if what == "opened" else EngagementKind.CLICK
    url = row.url if what == "clicked" else ""
    engagement = Engagement.objects.create(message=message, kind=kind, url=url, happened_at=clock.now())
    mark_first([engagement])
    audience.record([engagement_event(message, engagement)])
    outbox.publish(MessageEngaged(message.pk, row.contact_id, kind, False))


def mark_all_read(contact: Contact) -> int:
    """Everything in the inbox was seen; returns how many were new."""
    rows = list(of(contact).filter(read_at=None).order_by("-pk")[:500])
    for row in rows:
        mark(row, "opened")
    return len(rows)
