"""The built-in inbox: in-app messages are rows of ours, which the customer's app reads (api/inbox.py)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.db import DatabaseError, transaction

from delivery.domain.outcomes import Envelope, Outcome, OutcomeKind
from delivery.domain.payloads import InApp
from delivery.models import InboxMessage
from delivery.providers.contract import Connection, Provider, Settings

FOR_EVER = timedelta(days=36_500)


class InboxConnection:
    """Nothing to open: the database is here. A message that is there already is not written again."""

    is_usable = True

    def is_alive(self) -> bool:
        return True

    def close(self) -> None:
        """Nothing to close."""

    def deliver(self, envelopes: Iterator[Envelope]) -> Iterator[tuple[Envelope, Outcome]]:
        """See contract.Connection. A whole flight is one statement."""
        flight = list(envelopes)
        try:
            with transaction.atomic():
                InboxMessage.objects.bulk_create([_row(each) for each in flight], ignore_conflicts=True)
            outcome = Outcome(OutcomeKind.SENT)
        except DatabaseError as error:
            outcome = Outcome(OutcomeKind.RETRY, str(error)[:300])
        for envelope in flight:
            yield envelope, outcome


def _row(envelope: Envelope) -> InboxMessage:
    words: InApp = envelope.payload
    return InboxMessage(
        message_id=envelope.message_id,
        contact_id=words.contact_id,
        placement=words.placement,
        title=words.title,
        body=words.body,
        button=words.button,
        url=words.url,
        image=words.image,
        expires_at=words.expires_at,
    )


def connect(settings: Settings) -> Connection:
    return InboxConnection()


PROVIDER = Provider("inbox", "Built-in inbox", ("in_app",), (), connect, remembers=FOR_EVER)
