"""Who may get a message, decided for a block at once."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from accounts.models import Organization
from audience.models import Consent, Contact, Topic
from common import clock
from delivery import services
from delivery.models import DeliveryPolicy, Message
from delivery.services import policy
from delivery.tests.making import Sink, contact, content, queue, send

SOON = "Too soon after “Test”: 8 hours between two messages."


def outcome(message: Message) -> tuple[str, str]:
    message.refresh_from_db()
    return message.status, message.reason


def allow_everything(**changes: Any) -> DeliveryPolicy:
    limits = {"most_per_day": 100, "hours_between": 0, "quiet_from": time(0), "quiet_until": time(0)}
    return services.save_policy(DeliveryPolicy(**(limits | changes)))


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: contact(""), policy.NO_ADDRESS),
        (lambda: contact("not an address"), policy.NO_ADDRESS),
        (lambda: contact("a@example.com\r\nRCPT TO:<evil@example.com>"), policy.NO_ADDRESS),
        (lambda: contact(merged_into=contact("other@example.com")), policy.MERGED),
        (lambda: contact(agreed=False), policy.NO_CONSENT),
    ],
)
def test_a_refusal_says_why_and_sends_nothing(organization: Organization, sink: Sink, make: Any, reason: str) -> None:
    (message,) = queue(make())
    send(organization)

    assert outcome(message) == ("refused", reason)
    assert sink.envelopes == []


def test_an_erased_contact_gets_nothing(organization: Organization, sink: Sink) -> None:
    ada = contact()
    (message,) = queue(ada)
    Consent.objects.all().delete()
    Contact.objects.filter(pk=ada.pk).delete()
    send(organization)

    assert outcome(message) == ("refused", policy.ERASED)


def test_a_suppressed_address_gets_nothing_not_even_what_it_asked_for(organization: Organization, sink: Sink) -> None:
    from audience import services as audience

    audience.suppress("email", "ADA@example.com", "complaint")
    (message,) = queue(contact(), made=content(kind="transactional"))
    send(organization)

    assert outcome(message) == ("refused", policy.SUPPRESSED)


def test_a_transactional_message_needs_no_consent_and_counts_against_no_cap(
    organization: Organization, sink: Sink
) -> None:
    receipt = content(kind="transactional")
    ada = contact(agreed=False)
    rows = [queue(ada, made=receipt, key=f"receipt {number}")[0] for number in range(4)]
    send(organization)

    assert [outcome(row)[0] for row in rows] == ["sent"] * 4


def consent(ada: Contact, state: str, topic: Topic | None, minutes: int) -> None:
    moment = clock.now() + timedelta(minutes=minutes)
    Consent.objects.create(contact=ada, channel="email", state=state, topic=topic, how="test", happened_at=moment)


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([("granted", False)], "sent"),
        ([("granted", True)], "sent"),
        ([("granted", False), ("withdrawn", True)], policy.WITHDRAWN),
        ([("granted", True), ("withdrawn", False)], policy.WITHDRAWN),
        ([("withdrawn", False), ("granted", True)], "sent"),
        ([("withdrawn", True), ("granted", False)], "sent"),
        ([("granted", False), ("withdrawn", False)], policy.WITHDRAWN),
    ],
)
def test_the_latest_word_on_the_topic_or_on_everything_counts(
    organization: Organization, sink: Sink, entries: list[tuple[str, bool]], expected: str
) -> None:
    news = Topic.objects.create(name="News", slug="news")
    ada = contact(agreed=False)
    for number, (state, is_about_topic) in enumerate(entries):
        consent(ada, state, news if is_about_topic else None, number - 60)
    (message,) = queue(ada, topic_id=news.pk)
    send(organization)

    status, reason = outcome(message)
    assert (reason or status) == expected


def test_consent_to_one_topic_is_none_to_another(organization: Organization, sink: Sink) -> None:
    news, offers = Topic.objects.create(name="News", slug="news"), Topic.objects.create(name="Offers", slug="offers")
    ada = contact(agreed=False)
    consent(ada, "granted", news, -60)
    (message,) = queue(ada, topic_id=offers.pk)
    send(organization)

    assert outcome(message) == ("refused", policy.NO_CONSENT)


def test_an_organisation_may_write_without_consent_but_not_against_it(organization: Organization, sink: Sink) -> None:
    allow_everything(requires_consent=False)
    bob, eve = contact("bob@example.com", agreed=False), contact("eve@example.com", agreed=False)
    consent(eve, "withdrawn", None, -60)
    first, second = queue(bob, eve)
    send(organization)

    assert outcome(first)[0] == "sent"
    assert outcome(second) == ("refused", policy.WITHDRAWN)


def test_two_messages_to_one_contact_in_one_block_keep_the_hours_between(
    organization: Organization, sink: Sink
) -> None:
    ada, made = contact(), content()
    (first,) = queue(ada, made=made, key="first")
    (second,) = queue(ada, made=made, key="second")
    send(organization)

    assert outcome(first)[0] == "sent"
    assert outcome(second) == ("refused", SOON)


def test_caps_count_the_last_24_hours_and_the_block(organization: Organization, sink: Sink) -> None:
    allow_everything(most_per_day=3)
    ada, made = contact(), content()
    (earlier,) = queue(ada, made=made, key="earlier")
    send(organization)
    with clock.travel(timedelta(hours=23)):
        rows = [queue(ada, made=made, key=f"later {number}")[0] for number in range(3)]
        send(organization)
    with clock.travel(timedelta(hours=25)):
        (next_day,) = queue(ada, made=made, key="next day")
        send(organization)

    assert outcome(earlier)[0] == "sent"
    assert [outcome(row)[0] for row in rows] == ["sent", "sent", "refused"]
    assert outcome(rows[2])[1] == f"{policy.OVER_CAP} (3 in a day): “Test” went instead."
    assert outcome(next_day)[0] == "sent"


def test_the_default_lets_two_a_day_go_eight_hours_apart(organization: Organization, sink: Sink) -> None:
    ada, made = contact(timezone="UTC"), content()
    results = []
    for hours in (0, 7, 8, 20):  # noon, 19:00, 20:00, 8:00 the next day
        with clock.travel(timedelta(hours=hours)):
            (message,) = queue(ada, made=made, key=f"after {hours}")
            send(organization)
            results.append(outcome(message)[1] or "sent")

    assert results == ["sent", SOON, "sent", f"{policy.OVER_CAP} (2 in a day): “Test” went instead."]


def test_one_contacts_cap_is_not_anothers(organization: Organization, sink: Sink) -> None:
    rows = queue(contact("a@example.com"), contact("b@example.com"))
    send(organization)

    assert [outcome(row)[0] for row in rows] == ["sent", "sent"]


def test_quiet_hours_in_the_contacts_zone_postpone(organization: Organization, sink: Sink) -> None:
    tokyo, nowhere = (
        contact("t@example.com", timezone="Asia/Tokyo"),
        contact("n@example.com", timezone="Nowhere/At'all"),
    )
    first, second = queue(tokyo, nowhere)  # noon in London is 21:00 in Tokyo
    send(organization)

    first.refresh_from_db()
    assert first.status == "queued"
    assert first.run_at == datetime(2026, 11, 18, 23, 0, tzinfo=UTC)  # 8:00 in Tokyo
    assert outcome(second)[0] == "sent"
    with clock.travel(timedelta(hours=11)):
        send(organization)
    assert outcome(first)[0] == "sent"


def test_a_postponed_message_takes_no_room_under_the_cap(organization: Organization, sink: Sink) -> None:
    ada, made = contact(timezone="Asia/Tokyo"), content()
    (held_back,) = queue(ada, made=made, key="a")
    send(organization)
    assert outcome(held_back)[0] == "queued"
    (again,) = queue(ada, made=made, key="b")
    with clock.travel(timedelta(hours=12)):
        send(organization)

    assert sorted([outcome(held_back)[1], outcome(again)[1]]) == ["", SOON]
