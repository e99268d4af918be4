"""One cap over several channels: the weightiest message goes, whichever channel is claimed first."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from accounts.models import Organization
from audience.models import Contact
from common import clock
from delivery import services
from delivery.models import CapRule, Message, Provider, Sender, Weight
from delivery.services import policy
from delivery.services.policy import rehearsal
from delivery.tests.fake_http import FakeServer
from delivery.tests.making import Sink, contact, content, queue, send
from delivery.tests.test_channels import account, person, words
from delivery.tests.test_policy import outcome

ROOM = "(1 in a day)"


@pytest.fixture
def ada(organization: Organization, sink: Sink, server: FakeServer) -> Contact:
    """Somebody who gets one notification a day, whatever the channel."""
    services.save_cap(CapRule(kind="notification", most=1, per_hours=24))
    return person(timezone="UTC")


def mail(to: Contact, weight: Weight, key: str = "mail", **more: Any) -> Message:
    made = content("<p>Hello</p>", kind="notification", name="Mail")
    return queue(to, made=made, key=key, weight=weight, **more)[0]


def text(to: Contact, weight: Weight, **more: Any) -> Message:
    made = services.publish_message("Text", "notification", "sms", {"text": "Hi"}, {})
    return queue(to, made=made, key="text", weight=weight, **more)[0]


@pytest.mark.parametrize(
    ("of_mail", "of_text", "winner"),
    [
        (Weight.NORMAL, Weight.HIGH, "text"),
        (Weight.HIGH, Weight.NORMAL, "mail"),
        (Weight.NORMAL, Weight.NORMAL, "mail"),  # e-mail is claimed first
    ],
)
def test_the_weightier_of_two_channels_goes(
    organization: Organization, server: FakeServer, ada: Contact, of_mail: Weight, of_text: Weight, winner: str
) -> None:
    account("twilio", server)
    both = {"mail": mail(ada, of_mail), "text": text(ada, of_text)}
    if of_mail < of_text:
        assert rehearsal.rehearse(both["mail"]).reason == f"{policy.OVER_CAP} {ROOM}: “Text” went instead."
    send(organization)

    loser = both.pop("mail" if winner == "text" else "text")
    assert outcome(both[winner]) == ("sent", "")
    assert outcome(loser) == ("refused", f"{policy.OVER_CAP} {ROOM}: “{winner.title()}” went instead.")


def test_nobody_waits_for_what_cannot_go(organization: Organization, server: FakeServer, ada: Contact) -> None:
    heavy, light = text(ada, Weight.HIGHEST), mail(ada, Weight.LOW)
    send(organization)
    assert (outcome(light), outcome(heavy)) == (("sent", ""), ("queued", "")), "there is no account for SMS"


def test_nobody_waits_for_a_sender_whose_account_is_off(
    organization: Organization, sink: Sink, server: FakeServer, ada: Contact
) -> None:
    account("twilio", server)
    values = {"host": "127.0.0.1", "port": 1, "tls": "none"}
    off = services.save_provider(Provider(channel="email", kind="smtp", name="off", is_active=False), values)
    Provider.objects.filter(pk=off.pk).update(is_default=False)
    sender = services.save_sender(Sender(name="Off", address="off@example.com", provider=off))
    Sender.objects.filter(pk=sender.pk).update(is_default=False)
    heavy, light = mail(ada, Weight.HIGHEST, sender_id=sender.pk), text(ada, Weight.LOW)
    other = mail(contact("bob@example.com", timezone="UTC"), Weight.NORMAL, key="bob")
    send(organization)

    assert [outcome(row)[0] for row in (light, heavy, other)] == ["sent", "queued", "sent"]


def test_what_is_due_later_is_not_waited_for_and_one_that_may_not_go_gives_way(
    organization: Organization, server: FakeServer, ada: Contact
) -> None:
    account("twilio", server)
    later = text(ada, Weight.HIGHEST, run_at=clock.now() + timedelta(hours=1))
    light = mail(ada, Weight.LOW)
    send(organization)
    assert (outcome(light)[0], outcome(later)[0]) == ("sent", "queued")

    bob = contact("bob@example.com", timezone="UTC")  # has no phone number
    stopped = queue(bob, made=words("sms", "notification"), key="b", weight=Weight.HIGH)[0]
    goes = mail(bob, Weight.LOW, key="bob")
    send(organization)
    assert (outcome(stopped)[0], outcome(goes)) == ("refused", ("sent", ""))


def test_what_is_awaited_waits_for_nothing(organization: Organization, server: FakeServer, ada: Contact) -> None:
    account("twilio", server)
    news = text(ada, Weight.HIGHEST)
    ticket = queue(ada, made=content(kind="transactional"), key="t", weight=Weight.LOW)[0]
    send(organization)

    assert outcome(ticket) == outcome(news) == ("sent", "")
