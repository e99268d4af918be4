"""Two workers at once, and who waits for whom."""

from __future__ import annotations

import threading
from collections import Counter

import pytest
from django.db import connection, transaction

from accounts.models import Organization
from common import tenancy
from delivery import services
from delivery.models import CapRule, DeliveryPolicy, Message, Preference
from delivery.services import claiming, settling
from delivery.tests.making import Sink, contact, content, listening, queue
from tests.workers import start_worker

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def test_two_workers_share_the_work_and_keep_to_the_caps(company: Organization) -> None:
    DeliveryPolicy.objects.update(hours_between=8)
    sink = Sink()
    people = [contact(f"p{number}@example.com") for number in range(300)]
    made = content()
    queue(*people, made=made, key="first")
    queue(*people, made=made, key="second")
    with listening(sink) as port:
        changes = {"django.conf.settings.EMAIL_URL": f"smtp://127.0.0.1:{port}"}
        workers = [start_worker(company.pk, changes) for _ in range(2)]
        for worker in workers:
            worker.join(180)
        assert [worker.exitcode for worker in workers] == [0, 0]

    assert Counter(Message.objects.values_list("status", flat=True)) == {"sent": 300, "refused": 300}
    assert Counter(sink.recipients) == Counter(f"p{number}@example.com" for number in range(300))


@pytest.mark.parametrize("caps", ["general", "own rule", "contact's own"])
def test_a_claim_waits_for_the_one_before_it_and_then_sees_what_that_decided(
    company: Organization, monkeypatch: pytest.MonkeyPatch, caps: str
) -> None:
    monkeypatch.setattr(claiming, "MOST_RIVALS", 0)  # else the first claim judges both
    ada, made = contact(), content()
    if caps == "general":
        DeliveryPolicy.objects.update(hours_between=8)
    elif caps == "own rule":
        services.save_cap(CapRule(channel="email", most=1, per_hours=1))
    else:
        Preference.objects.create(contact=ada, frequency="weekly")
    queue(ada, made=made, key="first")
    queue(ada, made=made, key="second")
    second: list[claiming.Block] = []

    def claim_second() -> None:
        with tenancy.organization(company.pk):
            second.append(claiming.claim(1))
        connection.close()

    rival = threading.Thread(target=claim_second)
    with transaction.atomic():
        first = claiming.claim(1)
        rival.start()
        rival.join(0.5)
        assert rival.is_alive()
    rival.join(30)

    assert (first.judged_count, len(first.recipients)) == (1, 1)
    assert (second[0].judged_count, len(second[0].recipients)) == (1, 0)


def test_releasing_waits_for_a_worker_that_is_putting_messages_on_hold(company: Organization) -> None:
    (message,) = queue(contact())
    block = claiming.claim(1)
    services.hold("campaign", 1)
    released: list[int] = []

    def release() -> None:
        with tenancy.organization(company.pk):
            released.append(services.release("campaign", 1))
        connection.close()

    rival = threading.Thread(target=release)
    with transaction.atomic():
        assert settling.turn([], block.recipients, block) == set()
        rival.start()
        rival.join(0.5)
        assert rival.is_alive()
    rival.join(30)

    assert released == [1]
    message.refresh_from_db()
    assert message.status == "queued"
