"""Real workers in processes of their own: killed in the middle, and two at once."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import time as wall_time
from datetime import timedelta
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.conf import settings as django_settings
from django.db import connection, transaction

from accounts import services as accounts
from accounts.models import Organization
from common import clock, tenancy
from delivery import services
from delivery.models import CapRule, Claim, DeliveryPolicy, Message, Preference
from delivery.services import claiming, settling
from delivery.tests.making import Sink, contact, content, listening, queue

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

WORKER = "import django; django.setup(); from delivery import services\nwhile services.send_due({organization}): pass"


@pytest.fixture
def company() -> Iterator[Organization]:
    """An organisation without quiet hours or caps, committed so that other processes see it."""
    made = accounts.create_organization("Acme", "acme")
    with tenancy.organization(made.pk):
        services.save_policy(
            DeliveryPolicy(most_per_day=50, hours_between=0, quiet_from=wall_time(0), quiet_until=wall_time(0))
        )
        yield made


def start_worker(company: Organization, port: int) -> subprocess.Popen[bytes]:
    parts = urlsplit(os.environ["DATABASE_URL"])
    database = urlunsplit(parts._replace(path=f"/{connection.settings_dict['NAME']}"))
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "marketing_site.settings",
        "DATABASE_URL": database,
        "EMAIL_URL": f"smtp://127.0.0.1:{port}",
    }
    command = [sys.executable, "-c", WORKER.format(organization=company.pk)]
    return subprocess.Popen(command, env=environment, cwd=django_settings.BASE_DIR)


def wait_until_sent(sink: Sink, count: int, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while len(sink.envelopes) < count:
        assert time.monotonic() < deadline, f"only {len(sink.envelopes)} of {count} arrived"
        time.sleep(0.01)


def lapse_leases() -> None:
    Claim.objects.update(lease_expires_at=clock.now() - timedelta(seconds=1))


def test_a_worker_killed_in_the_middle_sends_nothing_twice_and_loses_nothing(company: Organization) -> None:
    sink = Sink()
    sink.seconds_per_message = 0.003
    messages = queue(*[contact(f"p{number}@example.com") for number in range(200)])
    with listening(sink) as port:
        for round_number in range(2):
            worker = start_worker(company, port)
            wait_until_sent(sink, len(sink.envelopes) + 20 + 17 * round_number)
            worker.kill()
            worker.wait()
            lapse_leases()
        worker = start_worker(company, port)
        assert worker.wait(120) == 0

    status = dict(Message.objects.values_list("address", "status"))
    received = Counter(sink.recipients)
    assert len(status) == len(messages) == 200
    assert set(status.values()) <= {"sent", "uncertain"}
    assert max(received.values()) == 1
    assert {address for address, value in status.items() if value == "sent"} <= received.keys()
    # Nothing is lost silently: what did not arrive is listed.
    assert {address for address in status if address not in received} <= {
        address for address, value in status.items() if value == "uncertain"
    }
    assert 1 <= sum(value == "uncertain" for value in status.values()) <= 2 * 50


def test_two_workers_share_the_work_and_keep_to_the_caps(company: Organization) -> None:
    DeliveryPolicy.objects.update(hours_between=8)
    sink = Sink()
    sink.seconds_per_message = 0.002
    people = [contact(f"p{number}@example.com") for number in range(300)]
    made = content()
    queue(*people, made=made, key="first")
    queue(*people, made=made, key="second")
    with listening(sink) as port:
        workers = [start_worker(company, port) for _ in range(2)]
        assert [worker.wait(180) for worker in workers] == [0, 0]

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
