"""Pausing by what comes back, going on again, and warm-ups that move by a day's record."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditEntry, Organization
from common import clock, outbox
from delivery import services
from delivery.models import (
    Attempt,
    DeliveryPolicy,
    LaneDay,
    Message,
    ReputationCheck,
    Sender,
    SendingDomain,
    SendingPause,
    SlowLane,
)
from delivery.notices import MessageEngaged
from delivery.services import reputation, warmups
from delivery.tests.conftest import NOON
from delivery.tests.making import Sink, contact, content, queue, send

DOMAIN = "news.acme.example"


@pytest.fixture
def sender(organization: Organization) -> Sender:
    services.save_policy(DeliveryPolicy(most_per_day=50, hours_between=0, quiet_from="00:00", quiet_until="00:00"))
    return services.save_sender(Sender(name="Acme", address=f"hello@{DOMAIN}"))


def ledger(count: int, *, failed: int = 0, complained: int = 0, at: Any = NOON, **fields: Any) -> list[Message]:
    """Mails that left at a moment, the first ones failed, the last ones reported as spam."""
    made = fields.pop("made", None) or content()
    who = contact(f"who{Message.objects.count()}@example.com")
    values = {"source_type": "campaign", "source_id": 1, "address": "who@example.com", "attempts": 1} | fields
    rows = Message.objects.bulk_create(
        Message(
            contact=who, content=made, idempotency_key=f"{at}{number}{values['source_id']}", handed_at=at,
            status="failed" if number < failed else "sent", **values,
        )
        for number in range(count)
    )  # fmt: skip
    Message.objects.filter(pk__in=[row.pk for row in rows[count - complained :]]).update(complained_at=at)
    return rows


def test_bounces_at_the_server_pause_the_domain_and_its_campaign_within_the_minute(
    sender: Sender, sink: Sink, organization: Organization, drain: Any
) -> None:
    sink.answers["RCPT"] = lambda address, envelope: "550 5.1.1 nobody here" if address.startswith("bad") else None
    queue(*[contact(f"bad{number}@example.com") for number in range(3)])
    queue(*[contact(f"good{number}@example.com") for number in range(20)], key="good")

    drain()

    pauses = {pause.scope: pause for pause in SendingPause.objects.all()}
    assert pauses["domain"].target == DOMAIN
    assert pauses["domain"].reason == (
        f"Marketing from {DOMAIN} is paused: 3 of 23 mails of the last 24 hours bounced (13.04 %; the limit is 2 %)."
    )
    assert (pauses["campaign"].target, pauses["campaign"].sent, pauses["campaign"].bad) == ("1", 23, 3)
    assert AuditEntry.objects.filter(object_type="delivery.sendingpause", action="create").count() == 2
    queue(contact("next@example.com"), key="next", source_id=2)
    send(organization)
    assert Message.objects.get(source_id=2).status == "held"
    assert Message.objects.get(source_id=2).reason == pauses["domain"].reason


def test_a_complaint_that_a_provider_reports_is_looked_at(sender: Sender, noon: Any, drain: Any) -> None:
    rows = ledger(1_000, complained=2)

    outbox.publish(MessageEngaged(rows[-1].pk, rows[-1].contact_id, "complaint", False))
    drain()

    assert SendingPause.objects.get(scope="domain").measure == "complaints"


def test_opens_and_deliveries_wake_nobody(sender: Sender, sink: Sink, drain: Any) -> None:
    queue(contact("ada@example.com"))
    drain()
    outbox.publish(MessageEngaged(1, 1, "open", False))
    drain()

    assert not ReputationCheck.objects.exists()


def test_a_rush_of_bounces_is_looked_at_once_a_quarter_minute(sender: Sender, noon: Any, organization: Any) -> None:
    reputation.ask()
    reputation.run(organization.pk)
    reputation.ask()
    assert reputation.run(organization.pk) == 0
    assert ReputationCheck.objects.get().due_at == NOON + timedelta(seconds=15)
    with clock.travel(timedelta(seconds=15)):
        assert reputation.organizations_due() == [organization.pk]


def test_after_resuming_only_new_mail_counts(sender: Sender, noon: Any) -> None:
    ledger(300, failed=30)
    assert reputation.look() == 2
    for pause in SendingPause.objects.all():
        reputation.resume(pause)

    with clock.travel(timedelta(minutes=1)):
        assert reputation.look() == 0
        ledger(300, failed=5, at=clock.now())
    with clock.travel(timedelta(minutes=2)):
        assert reputation.look() == 0
        ledger(300, failed=25, at=clock.now(), source_id=3)
    with clock.travel(timedelta(minutes=3)):
        assert reputation.look() == 2
    assert sorted(SendingPause.objects.filter(resumed_at=None).values_list("target", flat=True)) == ["3", DOMAIN]


def test_the_first_pause_ends_by_itself_and_is_in_the_audit_log(sender: Sender, noon: Any) -> None:
    ledger(300, failed=30)
    reputation.look()

    with clock.travel(timedelta(hours=48)):
        assert reputation.look() == 1

    domain = SendingPause.objects.get(scope="domain")
    assert domain.resumed_because.startswith("Resumed by itself after 48 hours")
    assert AuditEntry.objects.filter(object_type="delivery.sendingpause", action="resume").count() == 1
    assert SendingPause.objects.get(scope="campaign").resumed_at is None


def test_yesterdays_bounces_and_other_senders_pause_nobody(sender: Sender, noon: Any) -> None:
    other = services.save_sender(Sender(name="Other", address="hello@other.example"))
    ledger(300, failed=30, at=NOON - timedelta(hours=25))
    ledger(3_000, failed=30, source_id=5, sender=other)

    assert reputation.look() == 0


def test_looking_at_the_numbers_takes_a_few_questions_however_many_mails(sender: Sender, noon: Any) -> None:
    ledger(500)
    with CaptureQueriesContext(connection) as asked:
        reputation.look()

    assert len(asked) <= 16


# --- warm-up from day to day -------------------------------------------------------------------------------


def a_day(domain: SendingDomain, days: int, used: int) -> None:
    day = NOON + timedelta(days=days)
    LaneDay.objects.update_or_create(domain=domain, provider="", day=day.date(), defaults={"used": used})


def test_two_good_days_promote_and_a_thin_one_does_not(sender: Sender, noon: Any) -> None:
    domain = warmups.start(DOMAIN, 5_000)
    for number in range(2):
        ledger(50, at=NOON + timedelta(days=number, hours=1), source_id=number)
        a_day(domain, number, 50)

    with clock.travel(timedelta(days=1)):
        assert warmups.judge_all(clock.now()) == 0
        domain.refresh_from_db()
        assert domain.tier == 0
        assert "the next step needs 1 day more" in domain.tier_reason
    with clock.travel(timedelta(days=2)):
        a_day(domain, 1, 50)
        assert warmups.judge_all(clock.now()) == 1
        assert warmups.judge_all(clock.now()) == 0

    domain.refresh_from_db()
    assert (domain.tier, domain.tier_reason) == (
        1,
        "2 days kept with 0 % bounces and 0 % complaints among 100 mails: 100 a day from now on.",
    )
    assert AuditEntry.objects.filter(action="warm-up: promote").count() == 1


def test_a_bad_day_sends_a_warm_up_back(sender: Sender, noon: Any) -> None:
    domain = warmups.start(DOMAIN, 5_000)
    SendingDomain.objects.filter(pk=domain.pk).update(tier=3)
    ledger(400, failed=40, at=NOON + timedelta(hours=1))

    with clock.travel(timedelta(days=1)):
        warmups.judge_all(clock.now())

    domain.refresh_from_db()
    assert domain.tier == 1
    assert domain.tier_reason == "40 of 400 mails bounced (10 %, limit 2 %), so it goes back to 100 a day."


def test_a_provider_that_puts_mail_off_gets_less_until_it_takes_it_again(sender: Sender, noon: Any) -> None:
    domain = warmups.start(DOMAIN, 5_000)
    SendingDomain.objects.filter(pk=domain.pk).update(tier=4)
    for row in ledger(30, attempts=3, at=NOON + timedelta(hours=1), address="ada@outlook.com"):
        Attempt.objects.create(message=row, outcome="retry", answer="451 4.7.500")
    ledger(30, at=NOON + timedelta(hours=1), address="ada@gmail.com", source_id=2)

    with clock.travel(timedelta(days=1)):
        warmups.judge_all(clock.now())
    slow = SlowLane.objects.get()
    assert (slow.provider, slow.reduction) == ("microsoft", 1)
    assert slow.reason == "Microsoft (Outlook, Hotmail) put off 30 of 30 mails in a day (100 %)."

    with clock.travel(timedelta(days=2)):
        warmups.judge_all(clock.now())
    assert not SlowLane.objects.exists()
