"""Messages leave, once, and the ledger says what became of them."""

from __future__ import annotations

from accounts.models import Organization
from delivery.models import MessageStatus
from delivery.tests.making import Sink, contact, content, queue, send


def test_a_queued_message_arrives_and_is_recorded_as_sent(organization: Organization, sink: Sink) -> None:
    made = content(
        "<p>Hello {{ contact.name }}, see <a href='https://shop.example/a?b=1&amp;c=2'>the shop</a></p>",
        "Hi {{ contact.first_name }} 👋",
    )
    (message,) = queue(contact(), made=made)

    assert send(organization) == 1

    message.refresh_from_db()
    assert message.status == MessageStatus.SENT
    assert message.address == "ada@example.com"
    (mail,) = sink.mails
    assert mail["Subject"] == "Hi Ada 👋"
    assert "Hello Ada Lovelace" in mail.get_body(("html",)).get_content()
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
