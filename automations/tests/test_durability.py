"""Two engines at once, and an engine that dies in the middle: nothing lost, nothing doubled."""

import threading

import psycopg
import pytest
from django.db import connection, connections, transaction
from django.db.utils import OperationalError

from accounts import services as accounts
from automations import services
from automations.models import AutomationRun, RunStatus, StepRun, Task
from automations.services import engine
from automations.steps import STEPS, base
from automations.tests import making
from common import tenancy

pytestmark = pytest.mark.django_db(transaction=True)
PEOPLE = 300


@pytest.fixture
def acme():
    made = accounts.create_organization("Acme", "acme")
    with tenancy.organization(made.pk):
        yield made


def _everything_happened_once() -> None:
    assert AutomationRun.objects.filter(status=RunStatus.COMPLETED).count() == PEOPLE
    assert Task.objects.count() == 2 * PEOPLE
    assert Task.objects.values("source_key").distinct().count() == 2 * PEOPLE
    assert StepRun.objects.count() == 2 * PEOPLE


def _engine(organization_id: int, errors: list[Exception]) -> None:
    try:
        engine.run(organization_id)
    except Exception as error:  # noqa: BLE001 — handed to the test
        errors.append(error)
    finally:
        connections.close_all()


def test_two_engines_share_the_work(acme, monkeypatch) -> None:
    monkeypatch.setattr(engine, "BATCH", 20)
    automation = making.automation(making.task("One"), making.task("Two"))
    services.start(automation, [contact.pk for contact in making.contacts(PEOPLE)])
    errors: list[Exception] = []

    threads = [threading.Thread(target=_engine, args=(acme.pk, errors)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert errors == []
    _everything_happened_once()


def test_a_killed_transaction_changes_nothing_in_the_outcome(acme, monkeypatch) -> None:
    automation = making.automation(making.task("One"), making.task("Two"))
    services.start(automation, [contact.pk for contact in making.contacts(PEOPLE)])
    kind, killed = STEPS["create_task"], []

    def killer(configuration, group):
        results = kind.execute(configuration, group)
        if configuration.title == "Two" and not killed:
            killed.append(True)
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                pid = cursor.fetchone()[0]
            parameters = connection.get_connection_params()
            for key in ("assume_role", "cursor_factory", "context"):
                parameters.pop(key, None)
            with psycopg.connect(**parameters, autocommit=True) as other:
                other.execute("SELECT pg_terminate_backend(%s, 2000)", [pid])
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
        return results

    monkeypatch.setitem(
        STEPS._entries,
        "create_task",
        base.StepKind(kind.label, kind.doc, kind.configuration, killer, kind.sentence, kind.check),
    )
    errors: list[Exception] = []
    thread = threading.Thread(target=_engine, args=(acme.pk, errors))
    thread.start()
    thread.join()

    assert killed == [True]
    assert isinstance(errors[0], OperationalError)
    assert AutomationRun.objects.filter(status=RunStatus.RUNNING, attempts=0, step_count=0).count() == PEOPLE
    assert not Task.objects.exists()
    assert not StepRun.objects.exists()
    engine.run(acme.pk)
    _everything_happened_once()


def test_a_batch_that_clashes_with_another_transaction_is_begun_again(acme, monkeypatch) -> None:
    automation = making.automation(making.task("One"), making.task("Two"))
    services.start(automation, [contact.pk for contact in making.contacts(PEOPLE)])
    kind, clashes = STEPS["create_task"], []

    def clash(configuration, group):
        results = kind.execute(configuration, group)
        if configuration.title == "Two" and len(clashes) < 2:
            clashes.append(True)
            raise OperationalError("deadlock detected") from psycopg.errors.DeadlockDetected()
        return results

    monkeypatch.setitem(
        STEPS._entries,
        "create_task",
        base.StepKind(kind.label, kind.doc, kind.configuration, clash, kind.sentence, kind.check),
    )

    engine.run(acme.pk)

    assert len(clashes) == 2
    _everything_happened_once()


def test_nobody_slips_in_while_a_workflow_is_switched_off(acme) -> None:
    automation = making.automation(making.task())
    people = [contact.pk for contact in making.contacts(3)]
    errors: list[Exception] = []

    def switch_off() -> None:
        try:
            with tenancy.organization(acme.pk):
                services.deactivate(automation)
        except Exception as error:  # noqa: BLE001 — handed to the test
            errors.append(error)
        finally:
            connections.close_all()

    with transaction.atomic():
        services.start(automation, people)
        thread = threading.Thread(target=switch_off)
        thread.start()
        thread.join(0.5)
        assert thread.is_alive()
    thread.join()

    assert errors == []
    assert set(AutomationRun.objects.values_list("status", flat=True)) == {RunStatus.HELD}
    engine.run(acme.pk)
    assert not Task.objects.exists()


def test_deleting_waits_for_the_engine_and_leaves_nothing_behind(acme) -> None:
    automation = making.automation(making.task())
    services.start(automation, [contact.pk for contact in making.contacts(PEOPLE)])
    errors: list[Exception] = []
    thread = threading.Thread(target=_engine, args=(acme.pk, errors))
    thread.start()
    services.delete_automation(automation)
    thread.join()

    assert errors == []
    assert not AutomationRun.objects.exists()
    assert not StepRun.objects.exists()
