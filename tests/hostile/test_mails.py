"""What stands in a contact, a template or a sender never becomes a header or markup of a mail."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time
from typing import Any

import pytest

from audience import services as audience
from audience.models import Contact
from delivery import services as delivery
from delivery.models import DeliveryPolicy, Message, Sender
from delivery.services import outgoing
from delivery.tests.making import Sink, listening
from tests.hostile.town import Town

BREAKS = [
    "\r\nBcc: victim@evil.example",
    "\nBcc: victim@evil.example",
    "\rBcc: victim@evil.example",
    "\u2028Bcc: v@evil.example",
]
HEADERS = {
    "From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type", "Reply-To", "List-Unsubscribe",
    "List-Unsubscribe-Post", "X-Groundswell-Organization", "Content-Transfer-Encoding", "Feedback-ID", "Precedence",
    "Auto-Submitted",
}  # fmt: skip


@pytest.fixture
def sink(settings: Any) -> Iterator[Sink]:
    made = Sink()
    outgoing.reset()
    with listening(made) as port:
        settings.EMAIL_URL = f"smtp://127.0.0.1:{port}"
        yield made


def _send(contact: Contact, subject: str) -> Message:
    DeliveryPolicy.objects.create(quiet_from=time(0), quiet_until=time(0), hours_between=0, most_per_day=100)
    audience.grant_consent([contact.pk], "email", None, "form")
    content = delivery.publish_content(
        "A", "marketing", subject, "<p>{{ contact.name }} {{ contact.city }}</p>", "", {}
    )
    items = [delivery.Outgoing(contact.pk, "mail")]
    delivery.queue(items, content_id=content.pk, source_type="api", source_id=0)
    delivery.send_due(contact.organization_id)
    return Message.objects.get(idempotency_key="mail")


@pytest.mark.parametrize("line", BREAKS)
def test_a_line_break_anywhere_makes_no_header(home: Town, sink: Sink, line: str) -> None:
    contact = Contact.objects.get(pk=home.contact)
    contact.name, contact.city = f"Eve{line}", f"Leeds{line}"
    contact.save()
    Sender.objects.update(is_default=False)
    Sender.objects.create(name=f"Acme{line}", address="hello@acme.example", is_default=True)

    message = _send(contact, "Hello {{ contact.name }}")

    assert message.status == "sent", message.reason
    assert sink.recipients == [contact.email]
    mail = sink.mails[0]
    assert set(mail.keys()) <= HEADERS, set(mail.keys()) - HEADERS
    assert mail["Bcc"] is None
    assert "victim" not in str(mail["To"].addresses[0].addr_spec)


@pytest.mark.parametrize(
    "address",
    [
        "a@b.example\r\nRCPT TO:<victim@evil.example>",
        "a@b.example, victim@evil.example",
        "a b@c.example",
        "@",
        "💥@b.example>",
    ],
)
def test_an_address_that_is_none_gets_no_envelope(home: Town, sink: Sink, address: str) -> None:
    contact = Contact.objects.get(pk=home.contact)
    contact.email = address
    contact.save()

    message = _send(contact, "Hello")

    assert (message.status, sink.recipients) == ("refused", [])
    assert message.reason


def test_markup_in_a_contact_stays_text(home: Town, sink: Sink) -> None:
    contact = Contact.objects.get(pk=home.contact)
    contact.name, contact.city = "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>{{ 7 * 7 }}'
    contact.save()

    _send(contact, "Hello {{ contact.name }}")

    body = sink.mails[0].get_body(("html",))
    assert body is not None
    html = body.get_content()
    assert "<script" not in html and "<img src=x" not in html and "49" not in html
    assert "&lt;script&gt;" in html and "{{ 7 * 7 }}" in html
