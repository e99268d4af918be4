"""The built-in mailbox: keeps the newest mails of each organisation instead of sending them."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage

from accounts import selectors as accounts
from common import clock, tenancy
from delivery.models import MailboxMessage
from delivery.services.letters import ORGANIZATION_HEADER

MOST_KEPT = 5_000
TRIM_EVERY = 100


def parse(body: bytes) -> EmailMessage:
    """A mail as the standard library reads it."""
    message = message_from_bytes(bytes(body), policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def organization_of(message: EmailMessage) -> int | None:
    """Whose mail it is: our header says so; without it the only organisation there is."""
    known = accounts.organization_ids()
    named = str(message.get(ORGANIZATION_HEADER, "")).strip()
    if named.isascii() and named.isdigit() and int(named) in known:
        return int(named)
    return known[0] if len(known) == 1 else None


def take(sender: str, recipients: list[str], body: bytes) -> bool:
    """Keep one mail for each recipient; False when it belongs to no organisation."""
    message = parse(body)
    organization_id = organization_of(message)
    if organization_id is None:
        return False
    with tenancy.organization(organization_id):
        rows = MailboxMessage.objects.bulk_create(
            MailboxMessage(
                sender=sender[:320],
                recipient=recipient[:320],
                subject=str(message.get("Subject", "")).replace("\x00", "")[:1000],
                body=body,
                size=len(body),
                received_at=clock.now(),
            )
            for recipient in recipients
        )
        if any(row.pk % TRIM_EVERY == 0 for row in rows):
            trim()
    return True


def trim(most_kept: int = MOST_KEPT) -> int:
    """Throw away all but the newest mails of the current organisation; returns how many went."""
    newest = MailboxMessage.objects.order_by("-pk").values_list("pk", flat=True)
    oldest_kept = newest[most_kept - 1 : most_kept].first()
    if oldest_kept is None:
        return 0
    return MailboxMessage.objects.filter(pk__lt=oldest_kept).delete()[0]
