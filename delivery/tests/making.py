"""What the tests of this room make: a sink that speaks SMTP, people who agreed, content."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.conf import settings

from audience.models import Consent, Contact
from common import clock
from delivery import services
from delivery.models import Content, Message, SourceType
from delivery.services import outgoing

Answer = Callable[[str, Envelope], str | None]


class Sink:
    """A real SMTP server that keeps what it takes. `answers` maps a command to a function that may say no."""

    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []
        self.sessions = 0
        self.offers_pipelining = True
        self.seconds_per_message = 0.0
        self.answers: dict[str, Answer] = {}

    @property
    def mails(self) -> list[EmailMessage]:
        return [message_from_bytes(each.content, policy=policy.default) for each in self.envelopes]  # type: ignore[misc]

    @property
    def recipients(self) -> list[str]:
        return [each.rcpt_tos[0] for each in self.envelopes]

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        self.sessions += 1
        if not self.offers_pipelining:
            return responses
        return [*responses[:-1], "250-PIPELINING", responses[-1]]

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = self._answer("RCPT", address, envelope)
        if answer is not None:
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.seconds_per_message:
            await asyncio.sleep(self.seconds_per_message)
        answer = self._answer("DATA", envelope.rcpt_tos[0], envelope)
        if answer == "take and drop":
            self.envelopes.append(envelope)
            server.transport.close()
            await asyncio.sleep(0)
            return "250 never seen"
        if answer is not None:
            return answer
        self.envelopes.append(envelope)
        return "250 OK"

    def _answer(self, command: str, address: str, envelope: Envelope) -> str | None:
        return self.answers[command](address, envelope) if command in self.answers else None


class Listener(Controller):
    """A mail server on a free `port`, its own already before it starts; a busy machine has a minute to begin."""

    def __init__(self, handler: Any, **options: Any) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        port = self.socket.getsockname()[1]
        super().__init__(handler, hostname="127.0.0.1", port=port, ready_timeout=60, **options)

    def _create_server(self) -> Any:
        return self.loop.create_server(self._factory_invoker, sock=self.socket)


@contextmanager
def listening(sink: Sink) -> Iterator[int]:
    """Let `sink` listen on a free port."""
    controller = Listener(sink)
    controller.start()
    try:
        yield controller.port
    finally:
        outgoing.reset()
        controller.stop()


def contact(email: str = "ada@example.com", *, agreed: bool = True, **fields: Any) -> Contact:
    """A contact with consent to e-mail. Times are long ago, so that tests may travel."""
    made = Contact.objects.create(email=email, **({"name": "Ada Lovelace"} | fields))
    if agreed:
        Consent.objects.create(contact=made, channel="email", state="granted", how="test")
    return made


def content(html: str = "<p>Hello {{ contact.name }}</p>", subject: str = "Hello", **more: Any) -> Content:
    values = {"name": "Test", "kind": "marketing", "text": "", "defaults": {}} | more
    return services.publish_content(subject=subject, html=html, **values)


def queue(*contacts: Contact, made: Content | None = None, key: str = "k", **more: Any) -> list[Message]:
    """Queue one message to each contact and return the rows."""
    values = {"source_type": SourceType.CAMPAIGN, "source_id": 1} | more
    items = [services.Outgoing(each.pk, f"{key}:{each.pk}") for each in contacts]
    services.queue(items, content_id=(made or content()).pk, **values)
    rows = {
        row.contact_id: row for row in Message.objects.filter(idempotency_key__in=[i.idempotency_key for i in items])
    }
    return [rows[each.pk] for each in contacts]


def send(organization: Any) -> int:
    return services.send_due(organization.pk)


__all__ = ["Sink", "clock", "contact", "content", "listening", "queue", "send", "settings"]
