"""Effectively once while everything moves: two senders, pauses, people who leave, providers out of their mind,
workers that die and workers that are late. `make night` runs them at full size (STORM_MESSAGES=100000).
"""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import Organization
from audience.models import Consent, Contact
from common import clock
from delivery import services
from delivery.models import Message, Provider
from delivery.services import engagement
from delivery.tests.making import content
from delivery.tests.once import HOUSES, SEED, Moods, ids, judge, lapse, resolve, smtp_house
from tests.workers import start_worker, two_workers

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

MESSAGES = int(os.environ.get("STORM_MESSAGES", "1000"))
MOODY_MESSAGES = max(300, MESSAGES // 20)
PATIENCE = 60 + MESSAGES / 20  # seconds without an end are an end
LEAVING = 10


def crowd(count: int) -> set[int]:
    """So many people who agreed, each with a message that waits; returns the messages."""
    for start in range(0, count, 5000):
        numbers = range(start, min(count, start + 5000))
        people = Contact.objects.bulk_create(Contact(email=f"p{each}@crowd.example", name="P") for each in numbers)
        Consent.objects.bulk_create(
            Consent(contact=each, channel="email", state="granted", how="test") for each in people
        )
        items = [services.Outgoing(each.pk, f"storm:{each.pk}") for each in people]
        services.queue(items, content_id=content().pk, source_type="campaign", source_id=1)
    return ids("queued")


def wait_until(check: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not check():
        assert time.monotonic() < deadline, f"seed {SEED}: it never came so far"
        time.sleep(0.02)


def is_any(*statuses: str) -> bool:
    return Message.objects.filter(status__in=statuses).exists()


def leave(messages: list[int]) -> set[int]:
    """The contacts of these messages unsubscribe."""
    for message_id in messages:
        engagement.unsubscribe(message_id, how="unsubscribe page")
    return set(messages)


def test_two_workers_and_three_pauses_and_people_who_leave_in_the_middle_of_a_send(company: Organization) -> None:
    chance = random.Random(SEED)
    messages = crowd(MESSAGES)
    gone: set[int] = set()  # no worker had their mail yet when they left: it must not arrive
    perhaps: set[int] = set()
    with smtp_house(seconds=4 / MESSAGES) as house:
        house.changes["delivery.services.sending.BLOCK"] = min(500, MESSAGES // 10)
        with two_workers(company.pk, house.changes):
            for share in (1, 2, 3):
                wait_until(lambda share=share: len(house.arrived) >= MESSAGES * share // 5)  # type: ignore[misc]
                left = leave(chance.sample(sorted(ids("queued", "sending")), LEAVING))
                gone |= left & ids("queued")
                perhaps |= left
                services.hold("campaign", 1)
                wait_until(lambda: not is_any("sending"))
                quiet = house.arrived.total()
                time.sleep(0.3)
                assert house.arrived.total() == quiet, "something went out during the pause"
                gone |= leave(chance.sample(sorted(ids("held")), LEAVING))
                services.release("campaign", 1)
            wait_until(lambda: not is_any("queued", "sending"))
    refused = ids("refused")
    assert gone <= refused <= gone | perhaps
    assert judge(house.arrived) == {"sent": MESSAGES - len(refused), "refused": len(refused)}
    assert house.arrived == dict.fromkeys(messages - refused, 1)
    reasons = Message.objects.filter(pk__in=refused).values_list("reason", flat=True)
    assert set(reasons) == {"The contact unsubscribed."}


@pytest.mark.parametrize("way", sorted(HOUSES))
def test_a_provider_out_of_its_mind_and_workers_that_die_or_are_late(company: Organization, way: str) -> None:
    chance = random.Random(SEED)
    messages = crowd(MOODY_MESSAGES)
    with HOUSES[way](moods := Moods(SEED)) as house:
        house.changes["delivery.services.outgoing.MOST_REST_SECONDS"] = 0.05
        house.changes["delivery.services.sending.FLIGHT"] = 10
        with two_workers(company.pk, house.changes) as workers:

            def stir() -> bool:
                """Something happens; whether all is decided."""
                happens = chance.random()
                if happens < 0.1:
                    one = chance.randrange(2)
                    workers[one].kill()
                    workers[one].join()
                    workers[one] = start_worker(company.pk, house.changes, stays=True)
                elif happens < 0.3:
                    lapse()  # under the hands of workers that go on
                hurry()
                time.sleep(chance.uniform(0.01, 0.1))
                return not is_any("queued", "sending")

            wait_until(stir)
            counted = judge(house.arrived)
            assert counted.keys() <= {"sent", "uncertain", "failed"}
            assert counted.total() == len(messages)

            moods.is_over = True
            lapse()
            assert resolve(house.arrived) == counted["uncertain"]
            wait_until(lambda: not is_any("queued", "sending"))
    failed = counted["failed"]
    assert judge(house.arrived) == Counter({"sent": MOODY_MESSAGES - failed, "failed": failed})
    assert house.arrived == dict.fromkeys(messages - ids("failed"), 1)


def hurry() -> None:
    """The waits between tries are left out."""
    soon: dict[str, Any] = {"run_at": clock.now(), "attempts": 0}
    Message.objects.filter(status="queued", attempts__gt=0).update(**soon)
    Message.objects.filter(status="queued", run_at__gt=clock.now()).update(**soon)
    Provider.objects.filter(paused_at__isnull=False).update(probe_at=clock.now())
