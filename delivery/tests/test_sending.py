"""Messages leave, once, and the ledger says what became of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from accounts.models import Organization
from audience.models import IngestBatch, Suppression
from common import clock
from delivery import services
from delivery.models import Attempt, Message, MessageStatus
from delivery.services import outgoing
from delivery.tests.making import Sink, contact, content, listening, queue, send


def people(count: int) -> list[Any]:
    return [contact(f"p{number}@example.com", name=f"Person {number}") for number in range(count)]


def statuses(messages: list[Message]) -> list[str]:
    found = dict(Message.objects.values_list("pk", "status"))
    return [found[message.pk] for message in messages]


def test_a_queued_message_arrives_and_is_recorded_as_sent(organization: Organization, sink: Sink) -> None:
    made = content("<p>Hello {{ contact.name }}</p>", "Hi {{ contact.first_name }} 👋")
    (message,) = queue(contact(), made=made)

    assert send(organization) == 1

    message.refresh_from_db()
    assert (message.status, message.address) == (MessageStatus.SENT, "ada@example.com")
    assert message.sent_at == clock.now() and message.lease_token is None
    (mail,) = sink.mails
    assert mail["Subject"] == "Hi Ada 👋"
    assert "Hello Ada Lovelace" in mail.get_body(("html",)).get_content()
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["List-Unsubscribe"].startswith("<http://127.0.0.1:8000/u/")


def test_a_sent_message_becomes_an_event(organization: Organization, sink: Sink) -> None:
    queue(contact())
    send(organization)

    (batch,) = IngestBatch.objects.all()
    assert b"email_sent" in bytes(batch.body) or batch.event_count == 1


def test_the_same_key_is_written_and_sent_once(organization: Organization, sink: Sink) -> None:
    ada, made = contact(), content()
    queue(ada, made=made)
    again = services.queue(
        [services.Outgoing(ada.pk, f"k:{ada.pk}")], content_id=made.pk, source_type="campaign", source_id=1
    )
    send(organization)
    send(organization)

    assert again == 0
    assert sink.recipients == ["ada@example.com"]


def test_many_messages_share_one_connection(organization: Organization, sink: Sink) -> None:
    messages = queue(*people(120))

    assert send(organization) == 120
    assert statuses(messages) == [MessageStatus.SENT] * 120
    assert sorted(sink.recipients) == sorted(f"p{number}@example.com" for number in range(120))
    assert sink.sessions == 1


def test_without_pipelining_everything_arrives_too(organization: Organization, sink: Sink) -> None:
    sink.offers_pipelining = False
    messages = queue(*people(5))
    send(organization)

    assert statuses(messages) == [MessageStatus.SENT] * 5
    assert len(sink.envelopes) == 5


@pytest.mark.parametrize("offers_pipelining", [True, False])
def test_a_temporary_refusal_waits_and_is_tried_again(
    organization: Organization, sink: Sink, offers_pipelining: bool
) -> None:
    sink.offers_pipelining = offers_pipelining
    sink.answers["RCPT"] = lambda address, _: "451 4.7.1 Greylisted" if address.startswith("p1@") else None
    messages = queue(*people(3))
    send(organization)

    assert statuses(messages) == ["sent", "queued", "sent"]
    waiting = Message.objects.get(pk=messages[1].pk)
    assert (waiting.attempts, waiting.reason) == (1, "451 4.7.1 Greylisted")
    assert waiting.run_at == clock.now() + timedelta(seconds=30)
    assert Attempt.objects.get().answer == "451 4.7.1 Greylisted"

    sink.answers.clear()
    with clock.travel(timedelta(seconds=31)):
        send(organization)
    assert statuses(messages) == ["sent"] * 3
    assert len(sink.envelopes) == 3


def test_a_message_that_is_refused_again_and_again_fails_in_the_end(organization: Organization, sink: Sink) -> None:
    sink.answers["DATA"] = lambda address, _: "452 4.2.2 Mailbox full"
    (message,) = queue(contact(), made=content(kind="transactional"))
    for day in range(12):
        with clock.travel(timedelta(days=day)):
            send(organization)

    message.refresh_from_db()
    assert (message.status, message.attempts) == ("failed", 8)
    assert message.reason == "Gave up after 8 attempts: 452 4.2.2 Mailbox full"


@pytest.mark.parametrize("offers_pipelining", [True, False])
def test_an_address_that_does_not_exist_fails_and_is_suppressed(
    organization: Organization, sink: Sink, offers_pipelining: bool
) -> None:
    sink.offers_pipelining = offers_pipelining
    sink.answers["RCPT"] = lambda address, _: "550 5.1.1 No such user" if address.startswith("p0@") else None
    messages = queue(*people(3))
    send(organization)

    assert statuses(messages) == ["failed", "sent", "sent"]
    assert Message.objects.get(pk=messages[0].pk).reason == "550 5.1.1 No such user"
    assert Suppression.objects.get().address == "p0@example.com"


def test_content_that_the_server_refuses_fails_without_blaming_the_address(
    organization: Organization, sink: Sink
) -> None:
    sink.answers["DATA"] = lambda address, _: "554 5.7.1 Looks like spam"
    (message,) = queue(contact())
    send(organization)

    message.refresh_from_db()
    assert (message.status, message.reason) == ("failed", "554 5.7.1 Looks like spam")
    assert not Suppression.objects.exists()


def test_a_connection_lost_after_the_message_leaves_it_uncertain(organization: Organization, sink: Sink) -> None:
    sink.answers["DATA"] = lambda address, _: "take and drop" if address.startswith("p1@") else None
    messages = queue(*people(4))
    send(organization)
    outgoing.reset()
    send(organization)

    assert statuses(messages) == ["sent", "uncertain", "sent", "sent"]
    assert sorted(sink.recipients) == [f"p{number}@example.com" for number in range(4)]
    with clock.travel(timedelta(days=2)):
        assert send(organization) == 0
    assert len(sink.envelopes) == 4


def test_while_the_server_is_away_messages_wait_and_lose_no_attempt(
    organization: Organization, settings: Any, noon: Any
) -> None:
    settings.EMAIL_URL = "smtp://127.0.0.1:1"
    outgoing.reset()
    messages = queue(*people(3))
    send(organization)
    send(organization)

    assert statuses(messages) == ["queued"] * 3
    rows = Message.objects.all()
    assert {row.attempts for row in rows} == {0}
    assert all("127.0.0.1:1" in row.reason for row in rows)
    sink = Sink()
    with listening(sink) as port:
        settings.EMAIL_URL = f"smtp://127.0.0.1:{port}"
        outgoing.reset()
        send(organization)
    assert statuses(messages) == ["sent"] * 3


def test_a_value_that_a_contact_lacks_refuses_that_message_only(organization: Organization, sink: Sink) -> None:
    messages = queue(contact("a@example.com", name=""), contact("b@example.com"))
    send(organization)

    assert statuses(messages) == ["refused", "sent"]
    assert Message.objects.get(pk=messages[0].pk).reason == "contact.name is empty and has no default"


def test_unsubscribing_during_a_send_stops_that_contact(
    organization: Organization, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    from audience import services as audience

    monkeypatch.setattr("delivery.services.sending.FLIGHT", 2)
    crowd = people(4)
    messages = queue(*crowd)

    def leave(address: str, _: Any) -> None:
        leaving.append(address)

    leaving: list[str] = []
    sink.answers["DATA"] = leave
    real = outgoing.note

    def note(*args: Any, **kwargs: Any) -> None:
        # Between the first flight and the second, the last contact says no.
        if len(leaving) == 2:
            audience.withdraw_consent([crowd[3].pk], "email", None, "test")
        real(*args, **kwargs)

    monkeypatch.setattr(outgoing, "note", note)
    with clock.travel(timedelta(seconds=1)):
        send(organization)

    assert statuses(messages) == ["sent", "sent", "sent", "refused"]
    assert sink.recipients == ["p0@example.com", "p1@example.com", "p2@example.com"]


def test_pausing_during_a_send_holds_the_rest_and_resuming_sends_it(
    organization: Organization, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("delivery.services.sending.FLIGHT", 2)
    messages = queue(*people(6))
    real = outgoing.note

    def note(*args: Any, **kwargs: Any) -> None:
        services.hold("campaign", 1)
        real(*args, **kwargs)

    monkeypatch.setattr(outgoing, "note", note)
    send(organization)
    assert statuses(messages) == ["sent"] * 2 + ["held"] * 4

    monkeypatch.setattr(outgoing, "note", real)
    assert services.release("campaign", 1) == 4
    send(organization)
    assert statuses(messages) == ["sent"] * 6
    assert len(sink.envelopes) == 6


def test_what_a_vanished_worker_had_not_handed_over_waits_again_and_the_rest_is_uncertain(
    organization: Organization, sink: Sink
) -> None:
    from delivery.services import claiming, settling

    messages = queue(*people(4))
    block = claiming.claim(10)
    settling.turn([], block.recipients[:2], block)
    with clock.travel(timedelta(seconds=claiming.LEASE_SECONDS + 1)):
        assert len(claiming.expire_leases()) == 4
        assert statuses(messages) == ["uncertain", "uncertain", "queued", "queued"]
        send(organization)

    assert statuses(messages) == ["uncertain", "uncertain", "sent", "sent"]
    assert sink.recipients == ["p2@example.com", "p3@example.com"]


def test_a_late_worker_cannot_write_over_what_the_sweep_decided(organization: Organization, sink: Sink) -> None:
    from delivery.domain.outcomes import Outcome, OutcomeKind
    from delivery.services import claiming, settling

    (message,) = queue(contact())
    block = claiming.claim(10)
    settling.turn([], block.recipients, block)
    with clock.travel(timedelta(hours=1)):
        claiming.expire_leases()
        late = settling.Result(block.recipients[0], Outcome(OutcomeKind.SENT), clock.now())
        assert settling.turn([late], [], block) is None

    message.refresh_from_db()
    assert message.status == "uncertain"
    assert not IngestBatch.objects.exists()


def test_uncertain_messages_are_resolved_by_hand_with_an_audit_entry(organization: Organization, sink: Sink) -> None:
    from accounts.models import AuditEntry

    messages = queue(*people(3))
    Message.objects.filter(pk__in=[messages[0].pk, messages[1].pk]).update(status="uncertain")

    assert services.resolve_uncertain([messages[0].pk, messages[2].pk], as_sent=True) == 1
    assert services.resolve_uncertain([messages[1].pk], as_sent=False) == 1
    assert statuses(messages) == ["sent", "queued", "queued"]
    actions = AuditEntry.objects.filter(object_type="delivery.message").order_by("pk")
    assert [entry.action for entry in actions] == ["mark as sent", "send again"]


@pytest.fixture(autouse=True)
def _fresh_connection() -> Iterator[None]:
    yield
    outgoing.reset()
