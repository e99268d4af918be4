"""Effectively once: workers are killed at every point of the send path to a provider's API
(test_crash.py kills them on the way to a mail server)."""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import time as wall_time
from datetime import timedelta

import pytest

from accounts import services as accounts
from accounts.models import Organization
from common import clock, tenancy
from delivery import links, services
from delivery.models import Claim, DeliveryPolicy, Message, Provider
from delivery.services import outgoing, reports
from delivery.tests import hook_payloads as payloads
from delivery.tests.fake_api import Reply, Request, serving
from delivery.tests.hook_payloads import Said
from delivery.tests.making import contact, queue
from delivery.tests.once import IN_THE_CALL, POINTS, judge, start_worker

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

MESSAGES = 120


@pytest.fixture
def company() -> Iterator[Organization]:
    """An organisation without quiet hours or caps, committed so that other processes see it."""
    made = accounts.create_organization("Acme", "acme")
    with tenancy.organization(made.pk):
        services.save_policy(
            DeliveryPolicy(most_per_day=50, hours_between=0, quiet_from=wall_time(0), quiet_until=wall_time(0))
        )
        yield made
    outgoing.reset()


@dataclass
class House:
    """Where messages go: `arrived()` counts them there; `on_message` is called for each while it is under way."""

    environment: dict[str, str]
    arrived: Callable[[], Counter[int]]
    hook: list[Callable[[int], None]]

    def on_message(self, act: Callable[[int], None]) -> None:
        self.hook.append(act)


@contextmanager
def api_house(kind: str = "postmark") -> Iterator[House]:
    hooks: list[Callable[[int], None]] = []
    with serving(kind) as api:

        def under_way(request: Request, nth: int) -> Reply:
            reply = api.take(request)
            for act in hooks:
                act(nth)
            return reply

        api.behave = under_way
        services.save_provider(Provider(kind=kind, channel="email", name=kind), api.fake.settings)
        environment = {"PROVIDER_API_URLS": f"{kind}={api.url}", "PROVIDER_TIMEOUT_SECONDS": "2"}
        yield House(environment, lambda: Counter(api.taken), hooks)


def lapse() -> None:
    Claim.objects.update(lease_expires_at=clock.now() - timedelta(seconds=1))


def test_a_worker_killed_at_every_point_sends_nothing_twice_and_loses_nothing(company: Organization) -> None:
    killed = 0
    with api_house() as house:
        for number, point in enumerate(POINTS):
            queue(*[contact(f"p{number}-{each}@example.com") for each in range(MESSAGES)], key=f"round-{number}")
            nth = 2 if "mark" in point or "call" in point else 1
            worker = start_worker(company.pk, point=point, nth=nth, **house.environment)
            assert worker.wait(60) == -signal.SIGKILL, point
            killed += 1
            lapse()
            judge(house.arrived(), meanwhile=True)
        queue(*[contact(f"call-{each}@example.com") for each in range(MESSAGES)], key="in-the-call")
        _kill_in_the_call(company, house)
        lapse()
        assert start_worker(company.pk, **house.environment).wait(120) == 0
        arrived = house.arrived()

    assert killed == len(POINTS)
    counted = judge(arrived)
    assert set(counted) <= {"sent", "uncertain"}
    assert sum(counted.values()) == MESSAGES * (len(POINTS) + 1)
    # At most one flight is uncertain each time that messages may have been under way.
    assert 1 <= counted["uncertain"] <= 50 * (len(POINTS) + 1)
    _reports_resolve_what_arrived(company, arrived, counted["uncertain"])


def _kill_in_the_call(company: Organization, house: House) -> None:
    worker = start_worker(company.pk, point=IN_THE_CALL, **house.environment)
    start = sum(house.arrived().values())
    done = threading.Event()

    def kill(nth: int) -> None:
        if not done.is_set() and sum(house.arrived().values()) > start + 70:
            done.set()
            os.kill(worker.pid, signal.SIGKILL)

    house.on_message(kill)
    assert worker.wait(60) == -signal.SIGKILL


def _reports_resolve_what_arrived(company: Organization, arrived: Counter[int], uncertain: int) -> None:
    """The provider reports what it has; what stays uncertain never arrived."""
    account = Provider.objects.get()
    for pk in Message.objects.filter(status="uncertain").values_list("pk", flat=True):
        if pk in arrived:
            said = Said("delivered", links.reference(company.pk, pk))
            reports.accept("postmark", account.pk, payloads.postmark(said).body, content_type="application/json")
    reports.work(company.pk)
    left = set(Message.objects.filter(status="uncertain").values_list("pk", flat=True))
    assert not left & set(arrived)
    assert len(left) < uncertain
    # Whoever never got it can be sent it again without anybody getting it twice.
    assert services.resolve_uncertain(sorted(left), as_sent=False) == len(left)


def test_a_provider_that_recognises_a_second_try_leaves_nothing_uncertain(company: Organization) -> None:
    with api_house("resend") as house:
        Provider.objects.update(updated_at=clock.now() - timedelta(days=1))
        for number, point in enumerate(("after the mark", "after the call", "before the last outcomes")):
            queue(*[contact(f"p{number}-{each}@example.com") for each in range(60)], key=f"round-{number}")
            worker = start_worker(company.pk, point=point, nth=1, **house.environment)
            assert worker.wait(60) == -signal.SIGKILL, point
            lapse()
        assert start_worker(company.pk, **house.environment).wait(120) == 0
        assert judge(house.arrived()) == {"sent": 180}
        assert set(house.arrived().values()) == {1}
