"""Pacing in the claim: a day's amount, a minute's pace, whose turn it is, and that two senders keep to both."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Organization
from common import clock
from common.errors import Conflict, Invalid
from delivery import services
from delivery.models import Claim, DeliveryPolicy, LaneDay, Message, Sender, SendingDomain, SendingPause, SlowLane
from delivery.services import claiming, pacing, reputation, seating, warmups
from delivery.tests.conftest import NOON
from delivery.tests.making import Sink, contact, content, queue, send

DOMAIN = "news.acme.example"


@pytest.fixture
def sender(organization: Organization) -> Sender:
    services.save_policy(DeliveryPolicy(most_per_day=50, hours_between=0, quiet_from="00:00", quiet_until="00:00"))
    return services.save_sender(Sender(name="Acme", address=f"hello@{DOMAIN}"))


@pytest.fixture
def warming(sender: Sender, noon: datetime) -> SendingDomain:
    return warmups.start(DOMAIN, 5_000)


def people(count: int, domain: str = "example.com", name: str = "p") -> list[Any]:
    return [contact(f"{name}{number}@{domain}") for number in range(count)]


@pytest.fixture
def minute_by_minute(organization: Organization, sink: Sink) -> Iterator[Any]:
    """Call it with minutes: the sender works at each of them, and the clock stays where it ended."""

    def go(minutes: int) -> int:
        before = len(sink.envelopes)
        for minute in range(minutes):
            with clock.travel(timedelta(minutes=minute)):
                send(organization)
        return len(sink.envelopes) - before

    yield go


def test_without_warm_up_a_claim_asks_one_question_more(sender: Sender, noon: datetime) -> None:
    ids = [message.pk for message in queue(*people(3))]

    with CaptureQueriesContext(connection) as asked:
        permit = pacing.admit(ids, noon)

    assert permit.ids == ids
    assert len(asked) == 1


def test_a_day_sends_its_amount_at_its_pace_and_the_rest_waits_with_a_reason(
    warming: SendingDomain, sink: Sink, organization: Organization, minute_by_minute: Any
) -> None:
    queue(*people(60))

    assert send(organization) > 0
    assert len(sink.envelopes) == 1
    waiting = Message.objects.filter(status="queued").order_by("run_at")
    assert waiting.count() == 59
    assert waiting[0].reason == (
        f"Waits for its turn: {DOMAIN} is warming up and sends 50 marketing mails a day for now."
    )
    assert waiting[0].run_at == NOON + timedelta(minutes=1)
    tomorrow = waiting.filter(run_at__date__gt=NOON.date())
    assert tomorrow.count() == 10
    assert tomorrow[0].run_at == datetime(2026, 11, 19, 8, 0, tzinfo=UTC)

    assert minute_by_minute(52) == 49
    assert LaneDay.objects.get(provider=seating.ALL, day=NOON.date()).used == 50
    with clock.travel(timedelta(hours=21)):
        send(organization)
    assert len(sink.envelopes) == 51  # all ten are due, and a minute takes one
    assert Message.objects.filter(status="sent", reason="").count() == 51


def test_nothing_is_walked_over_again_while_it_waits(warming: SendingDomain, organization: Organization) -> None:
    queue(*people(60))
    claiming.claim(500)
    claiming.claim(500)

    assert claiming.claim(500).judged_count == 0


def test_who_opened_lately_goes_first(warming: SendingDomain, sink: Sink, organization: Organization) -> None:
    quiet, keen, keener = people(3)
    before = queue(keen, keener, made=content(subject="Before"), key="before", source_id=9)
    for days, message in enumerate(before):
        opened = NOON - timedelta(days=10 - days)
        Message.objects.filter(pk=message.pk).update(status="sent", opened_at=opened, sent_at=opened)
    queue(quiet, keen, keener)

    send(organization)

    order = Message.objects.filter(source_id=1).order_by("run_at").values_list("contact_id", flat=True)
    assert sink.recipients == ["p2@example.com"]
    assert list(order) == [keener.pk, keen.pk, quiet.pk]


def test_what_people_wait_for_goes_at_once_and_marketing_makes_room(
    warming: SendingDomain, sink: Sink, organization: Organization
) -> None:
    queue(*people(5))
    receipt = content(kind="transactional", subject="Your receipt")
    queue(*people(55, name="t"), made=receipt, key="t", source_type="api")

    send(organization)

    assert len(sink.envelopes) == 55
    assert {address[0] for address in sink.recipients} == {"t"}
    assert LaneDay.objects.get(provider=seating.ALL, day=NOON.date()).used == 55
    assert Message.objects.filter(status="queued", run_at__date=NOON.date() + timedelta(days=1)).count() == 5


def test_other_domains_of_the_organisation_are_not_slowed(
    warming: SendingDomain, sink: Sink, organization: Organization
) -> None:
    known = services.save_sender(Sender(name="Known", address="hello@known.example"))
    queue(*people(20), sender_id=known.pk)

    send(organization)

    assert len(sink.envelopes) == 20


def test_a_slow_provider_gets_less_and_the_others_their_share(
    sender: Sender, sink: Sink, organization: Organization
) -> None:
    domain = warmups.start(DOMAIN, 1_000_000)
    SendingDomain.objects.filter(pk=domain.pk).update(tier=8)  # 10,000 a day, 21 a minute
    SlowLane.objects.create(
        domain=domain, provider="microsoft", reduction=3, reason="put off"
    )  # 1,500 a day, 4 a minute
    queue(*people(10, "outlook.com", "o"), *people(10, "gmail.com", "g"))

    send(organization)

    providers = [address.partition("@")[2] for address in sink.recipients]
    assert (providers.count("gmail.com"), providers.count("outlook.com")) == (10, 4)
    waiting = Message.objects.filter(status="queued")
    assert waiting.count() == 6
    assert waiting[0].reason.startswith("Waits for its turn: Microsoft (Outlook, Hotmail) puts off mail from")


def test_a_claim_that_crashed_is_given_back_by_the_ledger(warming: SendingDomain, organization: Organization) -> None:
    queue(*people(1))
    claiming.claim(500)
    assert LaneDay.objects.get(provider=seating.ALL).used == 1
    Claim.objects.update(lease_expires_at=clock.now() - timedelta(seconds=1))
    claiming.expire_leases()

    warmups.judge_all(clock.now())

    assert LaneDay.objects.get(provider=seating.ALL).used == 0


def test_a_paused_domain_holds_marketing_and_lets_the_rest_go(
    sender: Sender, sink: Sink, organization: Organization
) -> None:
    pause = SendingPause.objects.create(
        scope="domain", target=DOMAIN, measure="bounces", sent=100, bad=5, reason="Paused: too many bounced."
    )
    queue(*people(3))
    queue(*people(2, name="t"), made=content(kind="transactional"), key="t", source_type="api")

    send(organization)

    assert len(sink.envelopes) == 2
    assert set(Message.objects.filter(status="held").values_list("reason", flat=True)) == {pause.reason}
    assert reputation.resume(pause) == 3
    send(organization)
    assert len(sink.envelopes) == 5
    with pytest.raises(Conflict):
        reputation.resume(pause)


def test_a_paused_campaign_stops_alone_and_stays_held_by_its_own_pause(
    sender: Sender, sink: Sink, organization: Organization
) -> None:
    pause = SendingPause.objects.create(
        scope="campaign", target="1", measure="complaints", sent=1000, bad=5, reason="Paused: reported as spam."
    )
    first, second = people(2)
    queue(first, source_id=1)
    queue(second, source_id=2, key="other")
    send(organization)
    assert sink.recipients == ["p1@example.com"]

    services.hold("campaign", 1)
    assert reputation.resume(pause) == 0

    send(organization)
    assert Message.objects.get(source_id=1).status == "held"
    services.release("campaign", 1)
    send(organization)
    assert len(sink.envelopes) == 2


@pytest.mark.parametrize(("name", "goal"), [("stranger.example", 5_000), (DOMAIN, 50), (DOMAIN, 1_000_001)])
def test_a_warm_up_that_cannot_be_is_refused_and_nothing_changes(
    sender: Sender, noon: datetime, name: str, goal: int
) -> None:
    with pytest.raises(Invalid):
        warmups.start(name, goal)

    assert not SendingDomain.objects.filter(tier__isnull=False).exists()


def test_ending_a_warm_up_lets_everything_go(warming: SendingDomain, sink: Sink, organization: Organization) -> None:
    queue(*people(12))
    send(organization)
    assert len(sink.envelopes) == 1

    warmups.stop(warming)
    send(organization)

    assert len(sink.envelopes) == 12
    with pytest.raises(Conflict):
        warmups.stop(warming)
