"""Several senders at once keep to one budget, and a worker that dies gives back what it did not send."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection, transaction

from accounts import services as accounts
from accounts.models import Organization
from common import clock, tenancy
from common.errors import Conflict
from delivery import lanes, services
from delivery.domain import booking, warmup
from delivery.models import Claim, DeliveryPolicy, LaneDay, Message, Sender, SendingDomain, SendingPause
from delivery.services import claiming, reputation, seating, warmups
from delivery.tests.making import contact, queue

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

DOMAIN = "news.acme.example"


@pytest.fixture
def company() -> Iterator[Organization]:
    made = accounts.create_organization("Acme", "acme")
    with tenancy.organization(made.pk):
        services.save_policy(
            DeliveryPolicy(most_per_day=50, hours_between=0, quiet_from="00:00", quiet_until="00:00")
        )
        services.save_sender(Sender(name="Acme", address=f"hello@{DOMAIN}"))
        yield made


def test_senders_at_once_never_take_more_than_the_minute_allows(company: Organization) -> None:
    warmups.start(DOMAIN, 100_000)
    SendingDomain.objects.update(tier=8)
    queue(*[contact(f"p{number}@example.com") for number in range(150)])
    taken: list[int] = []

    def work() -> None:
        try:
            with tenancy.organization(company.pk):
                while (block := claiming.claim(10)).judged_count:
                    taken.extend(each.message_id for each in block.recipients)
        finally:
            connection.close()

    started = clock.now().replace(second=0, microsecond=0)
    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    minutes = (clock.now().replace(second=0, microsecond=0) - started) // timedelta(minutes=1) + 1

    pace = booking.pace(warmup.budget(8, 100_000))
    assert len(taken) == len(set(taken))
    assert pace <= len(taken) <= pace * minutes
    assert LaneDay.objects.get(provider=seating.ALL, used__gt=0).used == len(taken)
    assert Message.objects.filter(status="queued", reason__startswith=seating.WAITS).count() == 150 - len(taken)


def test_what_a_dead_worker_claimed_is_counted_until_it_waits_again(company: Organization) -> None:
    domain = warmups.start(DOMAIN, 100_000)
    queue(contact("ada@example.com"))
    claiming.claim(10)
    day = lanes.today(clock.now())
    with transaction.atomic():
        assert warmups.recount(domain, day)[seating.ALL] == 1

    Claim.objects.update(lease_expires_at=clock.now() - timedelta(seconds=1))
    claiming.expire_leases()

    with transaction.atomic():
        assert warmups.recount(domain, day)[seating.ALL] == 0


def test_who_asks_while_the_numbers_are_looked_at_is_not_forgotten(company: Organization) -> None:
    reputation.ask()
    lease = reputation.begin()
    assert lease is not None
    assert reputation.begin() is None
    reputation.ask()
    reputation.finish(lease)

    with clock.travel(reputation.PATIENCE):
        assert reputation.organizations_due() == [company.pk]


def test_a_look_that_crashed_is_due_again_and_one_that_ended_is_not(company: Organization) -> None:
    reputation.ask()
    lease = reputation.begin()
    with clock.travel(reputation.LEASE):
        assert reputation.organizations_due() == [company.pk]

    assert lease is not None
    reputation.finish(lease)
    with clock.travel(reputation.LEASE):
        assert reputation.organizations_due() == []


def test_two_people_resume_one_pause_once(company: Organization) -> None:
    pause = SendingPause.objects.create(
        scope="domain", target=DOMAIN, measure="bounces", sent=100, bad=5, reason="Paused."
    )
    outcomes: list[str] = []

    def resume() -> None:
        try:
            with tenancy.organization(company.pk):
                reputation.resume(pause)
                outcomes.append("resumed")
        except Conflict as error:
            outcomes.append(type(error).__name__)
        finally:
            connection.close()

    people = [threading.Thread(target=resume) for _ in range(2)]
    for each in people:
        each.start()
    for each in people:
        each.join(20)

    assert sorted(outcomes) == ["Conflict", "resumed"]
