"""Messages of which nobody knows whether they left: a person decides, and the audit log keeps it."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from accounts import audit
from audience import services as audience
from common import clock, doorbell
from delivery.models import Message, MessageStatus
from delivery.services.claiming import announce
from delivery.services.queue import WORK
from delivery.services.telling import sent_event


def resolve_uncertain(message_ids: Sequence[int], *, as_sent: bool) -> int:
    """Decide what became of uncertain messages: they were sent, or they are sent again. Returns how many.

    Each one is in the audit log; messages in another state are left alone.
    """
    with transaction.atomic():
        uncertain = Message.objects.filter(pk__in=message_ids, status=MessageStatus.UNCERTAIN)
        rows = list(uncertain.select_for_update().order_by("pk"))
        for message in rows:
            with audit.changing(message, "mark as sent" if as_sent else "send again"):
                _resolve(message, as_sent)
        if as_sent:
            announce((row.pk, row.status, row.source_type, row.source_id) for row in rows)
            audience.record([sent_event(row) for row in rows])
        elif rows:
            doorbell.ring(WORK)
    return len(rows)


def _resolve(message: Message, as_sent: bool) -> None:
    message.reason = "Marked as sent by hand." if as_sent else "Sent again by hand."
    if as_sent:
        message.status = MessageStatus.SENT
        message.sent_at = message.handed_at or clock.now()
    else:
        message.status = MessageStatus.QUEUED
        message.run_at = clock.now()
        message.claimed_at = message.handed_at = None
    message.save(update_fields=["status", "reason", "sent_at", "run_at", "claimed_at", "handed_at"])
