"""Somebody is woken while an engine is looking at them: nobody sleeps through what they wait for."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection, connections

from accounts import services as accounts
from audience import services as audience
from automations import keys, services
from automations.models import AutomationRun
from automations.services import engine, watches
from automations.steps import wait_until
from automations.tests import making
from common import clock, tenancy

pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE = 30  # seconds until a lock that never shows fails the test
WAITING_SQL = "SELECT count(*) FROM pg_locks WHERE NOT granted"


def _somebody_waits_for_a_lock() -> bool:
    pause = threading.Event()
    for _ in range(PATIENCE * 20):
        with connection.cursor() as cursor:
            if cursor.execute(WAITING_SQL).fetchone()[0]:
                return True
        pause.wait(0.05)
    return False


def test_who_is_woken_while_an_engine_asks_the_rule_is_looked_at_again(monkeypatch) -> None:
    """The engine has read that the rule is not met, then it is met, then the engine puts the run to sleep."""
    organization = accounts.create_organization("Acme", "acme")
    has_read, may_sleep, errors = threading.Event(), threading.Event(), []
    ask = wait_until.segments.verdicts

    def slow(*arguments):
        verdicts = ask(*arguments)
        has_read.set()
        may_sleep.wait(PATIENCE)
        return verdicts

    def apart(work) -> threading.Thread:
        def run() -> None:
            try:
                with tenancy.organization(organization.pk):
                    work()
            except Exception as error:  # noqa: BLE001 — handed to the test
                errors.append(error)
            finally:
                connections.close_all()

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    with tenancy.organization(organization.pk):
        ada = making.contact(city="Bath")
        waiting = {
            "action_type": "wait_until",
            "configuration": {"rule": making.where("city", "Leeds"), "timeout": {"days": 9}},
            "branches": {"met": [making.task("Met")], "timed_out": []},
        }
        services.start(making.automation(waiting), [ada.pk])

        monkeypatch.setattr(wait_until.segments, "verdicts", slow)
        looking = apart(lambda: engine.run(organization.pk))
        assert has_read.wait(PATIENCE)
        monkeypatch.setattr(wait_until.segments, "verdicts", ask)
        audience.update_contacts([ada.pk], {"city": "Leeds"})
        waking = apart(lambda: watches.wake({keys.of_attribute("city"): {ada.pk}}))
        assert _somebody_waits_for_a_lock()
        may_sleep.set()
        looking.join()
        waking.join()

        assert errors == []
        run = AutomationRun.objects.get()
        assert run.step_id == "wait_until_1"
        assert run.run_at <= clock.now() < run.waits_until - timedelta(days=8)
        engine.run(organization.pk)
        assert list(ada.tasks.values_list("title", flat=True)) == ["Met"]
