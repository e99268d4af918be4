"""Effectively once: workers are killed at every step of a send, by SMTP and by a provider's API."""

from __future__ import annotations

import os
import signal
from collections import Counter

import pytest

from accounts.models import Organization
from delivery import links
from delivery.models import Message, Provider
from delivery.services import reports
from delivery.tests import hook_payloads as payloads
from delivery.tests.hook_payloads import Said
from delivery.tests.making import contact, content, queue
from delivery.tests.once import HOUSES, SEED, House, api_house, ids, judge, lapse, resolve
from tests.workers import start_worker

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

# Every nth step; `make night` takes each of them.
STRIDE = int(os.environ.get("ONCE_STRIDE", "16"))
FLIGHT = 2
MESSAGES = 3  # two flights


def kill_at_every_step(company: Organization, house: House) -> int:
    """Send some messages, killing the worker at a step; and again at a later step, until one lives to the end.

    Returns how many rounds it took.
    """
    house.changes["delivery.services.sending.FLIGHT"] = FLIGHT
    made = content()
    for count, step in enumerate(range(1 + SEED % STRIDE, 10_000, STRIDE), 1):
        queue(*[contact(f"s{step}-{each}@example.com") for each in range(MESSAGES)], made=made, key=f"step-{step}")
        before = len(ids("uncertain"))
        worker = start_worker(company.pk, house.changes, dies_at=step)
        worker.join(60)
        lapse()
        clean = start_worker(company.pk, house.changes)
        clean.join(60)
        assert clean.exitcode == 0
        assert not ids("queued", "sending")
        assert len(ids("uncertain")) - before <= FLIGHT
        if worker.exitcode == 0:
            return count
        assert worker.exitcode == -signal.SIGKILL
    raise AssertionError("it never ended")


@pytest.mark.parametrize("way", sorted(HOUSES))
def test_a_worker_killed_at_every_step_sends_nothing_twice_and_loses_nothing(company: Organization, way: str) -> None:
    with HOUSES[way]() as house:
        rounds = kill_at_every_step(company, house)
        counted = judge(house.arrived)
        assert counted.keys() == {"sent", "uncertain"}
        assert counted.total() == MESSAGES * rounds
        if way == "api":
            counted["uncertain"] -= reported(company, house.arrived)
        assert resolve(house.arrived) == counted["uncertain"]
        start_worker(company.pk, house.changes).join(60)

        assert judge(house.arrived) == {"sent": MESSAGES * rounds}
        assert house.arrived == dict.fromkeys(ids("sent"), 1)


def reported(company: Organization, arrived: Counter[int]) -> int:
    """The provider reports what it has; returns how many uncertain messages that settled."""
    account = Provider.objects.get()
    settled = ids("uncertain") & arrived.keys()
    for pk in settled:
        said = Said("delivered", links.reference(company.pk, pk))
        reports.accept("postmark", account.pk, payloads.postmark(said).body, content_type="application/json")
    reports.work(company.pk)
    assert not ids("uncertain") & arrived.keys()
    return len(settled)


def test_a_provider_that_recognises_a_second_try_leaves_nothing_uncertain(company: Organization) -> None:
    with api_house(kind="resend") as house:
        rounds = kill_at_every_step(company, house)
        assert judge(house.arrived) == {"sent": MESSAGES * rounds}
        assert house.arrived == dict.fromkeys(Message.objects.values_list("pk", flat=True), 1)
