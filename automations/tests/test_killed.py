"""Engines are killed (SIGKILL) at any moment, and two work at once: everything happens to everybody exactly once."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter

import pytest

from accounts import services as accounts
from accounts.models import Organization
from audience.models import Contact
from automations import services
from automations.models import Automation, AutomationRun, StepRun, Task
from automations.tests import making
from common import tenancy
from delivery.models import Message
from tests.workers import start_worker, two_workers

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

ENGINE = "automations.services.engine.run"
# Every nth step; `make night` takes each of them.
STRIDE = int(os.environ.get("ENGINE_STRIDE", "9"))
STORM_PEOPLE = int(os.environ.get("ENGINE_STORM_PEOPLE", "1500"))
SEED = int(os.environ.get("CRASH_SEED", "7"))
SMALL = {"automations.services.engine.BATCH": 50}
STEPS = 6  # of each person, whichever branch


@pytest.fixture
def company():
    made = accounts.create_organization("Acme", "acme")
    with tenancy.organization(made.pk):
        yield made


def workflow() -> Automation:
    """Tags, a branch, a task or a changed status, a mail, a wait, a tag."""
    template = making.template()
    mail = {"action_type": "send_email", "configuration": {"template_id": template.pk}}
    late = {"action_type": "add_tag", "configuration": {"tag": "waited"}}
    status = {"action_type": "update_status", "configuration": {"status": "qualified"}}
    return making.automation(
        making.TAG,
        making.branch(making.where("priority", "high"), [making.task("Call")], [status]),
        mail,
        making.wait(seconds=1),
        late,
    )


def people(count: int) -> list[int]:
    made = Contact.objects.bulk_create(
        Contact(name=f"P{n}", email=f"p{time.time_ns()}-{n}@example.org", priority=("high", "low")[n % 2])
        for n in range(count)
    )
    return [one.pk for one in made]


def everything_happened_once(count: int) -> None:
    runs = AutomationRun.objects.all()
    assert Counter(runs.values_list("status", "step_count")) == {("completed", STEPS): count}
    assert StepRun.objects.count() == STEPS * count
    assert Task.objects.count() == count // 2
    assert Message.objects.count() == count
    assert Contact.objects.filter(tags__contains=["met", "waited"]).count() == count
    assert Contact.objects.filter(status="qualified").count() == count // 2


def test_an_engine_killed_at_every_step_loses_and_doubles_nothing(company: Organization) -> None:
    automation, entered = workflow(), 0
    for step in range(1 + SEED % STRIDE, 10_000, STRIDE):
        services.start(automation, people(4))
        entered += 4
        engine = start_worker(company.pk, {}, dies_at=step, does=ENGINE)
        engine.join(60)
        if engine.exitcode == 0:
            break
        assert engine.exitcode == -signal.SIGKILL
    through(company)
    everything_happened_once(entered)


def through(company: Organization) -> None:
    """One more engine, until nobody is inside."""
    with two_workers(company.pk, SMALL, does=ENGINE):
        until_nobody_is_inside()


def until_nobody_is_inside() -> None:
    deadline = time.monotonic() + 240
    while AutomationRun.objects.filter(status="running").exists():
        assert time.monotonic() < deadline, Counter(AutomationRun.objects.values_list("step_id", "error"))
        time.sleep(0.05)


def test_two_engines_killed_again_and_again_do_everything_once(company: Organization) -> None:
    services.start(workflow(), people(STORM_PEOPLE))
    chance, killed = random.Random(SEED), 0
    with two_workers(company.pk, SMALL, does=ENGINE) as engines:
        while AutomationRun.objects.filter(status="running").exists():
            time.sleep(chance.uniform(0.05, 0.4))
            if killed < 12:
                one = chance.randrange(2)
                engines[one].kill()
                engines[one].join()
                engines[one] = start_worker(company.pk, SMALL, stays=True, does=ENGINE)
                killed += 1

    assert killed >= 2
    everything_happened_once(STORM_PEOPLE)
