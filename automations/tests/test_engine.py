from datetime import timedelta

import pytest
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext

from automations import services
from automations.models import AutomationRun, AutomationVersion, RunStatus, StepOutcome, StepRun, Task
from automations.services import moves
from automations.steps import STEPS, base
from automations.tests import making
from common import clock
from common.errors import Permanent, Transient

pytestmark = pytest.mark.django_db


def _break(monkeypatch: pytest.MonkeyPatch, error: Exception, step: str = "create_task") -> list[int]:
    """Make a step fail after it has written; returns the sizes of the groups it is tried with."""
    kind, sizes = STEPS[step], []

    def fail(configuration, group):
        sizes.append(len(group.runs))
        kind.execute(configuration, group)
        raise error

    broken = base.StepKind(kind.label, kind.doc, kind.configuration, fail, kind.sentence, kind.check)
    monkeypatch.setitem(STEPS._entries, step, broken)
    return sizes


def test_a_run_goes_through_all_steps_in_one_pass(organization) -> None:
    automation = making.automation(making.task("One"), making.task("Two"))
    ada = making.contact()
    services.start(automation, [ada.pk])

    assert making.work() == 1

    run = AutomationRun.objects.get()
    assert (run.status, run.step_id, run.step_count) == (RunStatus.COMPLETED, "", 2)
    assert run.finished_at is not None
    assert making.outcomes(run) == [("create_task_1", "done"), ("create_task_2", "done")]
    assert sorted(Task.objects.values_list("title", flat=True)) == ["One", "Two"]
    assert making.work() == 0


def test_a_workflow_without_active_steps_is_over_at_once(organization) -> None:
    automation = making.automation(making.task() | {"is_active": False})
    services.start(automation, [making.contact().pk])

    making.work()

    assert AutomationRun.objects.get().status == RunStatus.COMPLETED
    assert not StepRun.objects.exists()
    assert not Task.objects.exists()


def test_a_wait_holds_until_its_time_has_come(organization) -> None:
    automation = making.automation(making.wait(days=2, hours=3), making.task())
    services.start(automation, [making.contact().pk])

    making.work()

    run = AutomationRun.objects.get()
    assert run.step_id == "wait_1"
    assert run.run_at - run.entered_at >= timedelta(days=2, hours=3)
    assert not StepRun.objects.exists()
    with clock.travel(timedelta(days=2, hours=2)):
        assert making.work() == 0
    with clock.travel(timedelta(days=2, hours=3, seconds=5)):
        assert making.work() == 1
    run.refresh_from_db()
    assert run.status == RunStatus.COMPLETED
    assert making.outcomes(run) == [("wait_1", "waited"), ("create_task_1", "done")]
    assert Task.objects.count() == 1


def test_a_branch_asks_the_rule_and_both_ways_meet_again(organization) -> None:
    automation = making.automation(
        making.branch(making.where("city", "Leeds"), [making.task("Leeds")], [making.task("Elsewhere")]),
        making.task("Both"),
    )
    leeds, york = making.contact(city="Leeds"), making.contact(city="York")
    services.start(automation, [leeds.pk, york.pk])

    making.work()

    assert list(leeds.tasks.order_by("pk").values_list("title", flat=True)) == ["Leeds", "Both"]
    assert list(york.tasks.order_by("pk").values_list("title", flat=True)) == ["Elsewhere", "Both"]
    record = StepRun.objects.get(run__contact=leeds, outcome=StepOutcome.BRANCHED)
    assert record.detail == {"branch": "then", "facts": {"city": "Leeds"}}


def test_exit_ends_a_run_before_its_last_step(organization) -> None:
    automation = making.automation(making.EXIT, making.task())
    services.start(automation, [making.contact().pk])

    making.work()

    run = AutomationRun.objects.get()
    assert run.status == RunStatus.EXITED
    assert making.outcomes(run) == [("exit_1", "exited")]
    assert not Task.objects.exists()


def test_people_inside_stay_on_the_version_they_entered(organization) -> None:
    automation = making.automation(making.wait(days=1), making.task("Old"))
    ada, bob = making.contact(), making.contact(name="Bob")
    services.start(automation, [ada.pk])
    making.work()

    services.update_automation(automation, {"actions": [making.task("New")]})
    automation.refresh_from_db()
    services.start(automation, [bob.pk])
    with clock.travel(timedelta(days=1, minutes=1)):
        making.work()

    assert ada.tasks.get().title == "Old"
    assert bob.tasks.get().title == "New"
    assert sorted(AutomationRun.objects.values_list("version__number", flat=True)) == [1, 2]


def test_switched_off_holds_people_and_switched_on_lets_them_go(organization) -> None:
    automation = making.automation(making.task())
    services.start(automation, [making.contact().pk])

    services.deactivate(automation)
    assert making.work() == 0
    assert AutomationRun.objects.get().status == RunStatus.HELD

    services.activate(automation)
    assert making.work() == 1
    assert Task.objects.count() == 1


def test_a_failing_step_takes_its_effect_back_and_is_tried_again(organization, monkeypatch) -> None:
    automation = making.automation(making.task())
    services.start(automation, [making.contact().pk])
    with monkeypatch.context() as patch:
        _break(patch, DatabaseError("the disk is tired"))
        making.work()

    run = AutomationRun.objects.get()
    assert (run.status, run.attempts, run.step_id) == (RunStatus.RUNNING, 1, "create_task_1")
    assert "the disk is tired" in run.error
    assert not Task.objects.exists()
    assert making.work() == 0
    with clock.travel(timedelta(seconds=10)):
        assert making.work() == 1
    run.refresh_from_db()
    assert (run.status, run.attempts, run.error) == (RunStatus.COMPLETED, 0, "")
    assert making.outcomes(run) == [("create_task_1", "failed"), ("create_task_1", "done")]
    assert Task.objects.count() == 1


def test_what_keeps_failing_becomes_a_dead_letter_and_can_be_replayed(organization, monkeypatch) -> None:
    automation = making.automation(making.task())
    services.start(automation, [making.contact().pk])
    with monkeypatch.context() as patch:
        _break(patch, RuntimeError("no"))
        for hours in range(1, moves.MOST_ATTEMPTS + 2):
            with clock.travel(timedelta(hours=2 * hours)):
                making.work()
    run = AutomationRun.objects.get()
    assert (run.status, run.attempts) == (RunStatus.FAILED, moves.MOST_ATTEMPTS)
    assert not Task.objects.exists()

    assert services.replay([run.pk]) == 1
    making.work()

    run.refresh_from_db()
    assert run.status == RunStatus.COMPLETED
    assert Task.objects.count() == 1
    assert services.replay([run.pk]) == 0


def test_a_certain_failure_is_not_tried_again(organization, monkeypatch) -> None:
    automation = making.automation(making.task())
    services.start(automation, [making.contact().pk])
    with monkeypatch.context() as patch:
        _break(patch, Permanent("The template is gone."))
        making.work()

    run = AutomationRun.objects.get()
    assert (run.status, run.error) == (RunStatus.FAILED, "The template is gone.")


def test_a_step_says_when_to_come_back(organization, monkeypatch) -> None:
    automation = making.automation(making.task())
    services.start(automation, [making.contact().pk])
    _break(monkeypatch, Transient("Busy.", retry_after_seconds=90))
    with clock.freeze(clock.now()):
        making.work()
        assert AutomationRun.objects.get().run_at == clock.now() + timedelta(seconds=90)


def test_a_group_that_keeps_failing_is_tried_in_smaller_and_smaller_groups(organization, monkeypatch) -> None:
    automation = making.automation(making.task())
    services.start(automation, [contact.pk for contact in making.contacts(120)])
    sizes = _break(monkeypatch, RuntimeError("one of them is bad"))

    for round_number in range(3):
        with clock.travel(timedelta(hours=round_number)):
            making.work()

    assert sizes == [120, 100, 20, *[10] * 12]


def test_one_failing_group_does_not_stop_the_others(organization, monkeypatch) -> None:
    bad = making.automation(making.task("Bad"), name="Bad")
    good = making.automation({"action_type": "exit"}, name="Good")
    ada = making.contact()
    services.start(bad, [ada.pk])
    services.start(good, [ada.pk])
    _break(monkeypatch, RuntimeError("no"))

    making.work()

    assert good.runs.get().status == RunStatus.EXITED
    assert bad.runs.get().status == RunStatus.RUNNING


def test_the_loop_guard_stops_a_run_that_never_ends(organization, monkeypatch) -> None:
    monkeypatch.setattr(moves, "MOST_STEPS_PER_RUN", 2)
    automation = making.automation(making.task(), making.task(), making.task())
    services.start(automation, [making.contact().pk])

    making.work()

    run = AutomationRun.objects.get()
    assert run.status == RunStatus.FAILED
    assert run.error.startswith("Loop guard")
    assert Task.objects.count() == 2


def _queries_for(count: int, *actions) -> int:
    automation = making.automation(*actions, name=f"For {count}")
    services.start(automation, [contact.pk for contact in making.contacts(count)])
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert making.work() == count
    assert automation.runs.filter(status=RunStatus.COMPLETED).count() == count
    return len(queries)


def test_a_step_costs_as_many_statements_for_90_runs_as_for_2(organization) -> None:
    steps = [making.task(), making.branch(making.where("city", "Leeds"), [], [making.task("Away")])]

    assert _queries_for(90, *steps) == _queries_for(2, *steps)


def test_a_version_that_cannot_be_read_stops_its_own_runs_only(organization) -> None:
    broken, sound = making.automation(making.task("Broken")), making.automation(making.task("Sound"), name="Sound")
    AutomationVersion.objects.filter(pk=broken.current_version_id).update(document={})
    ada = making.contact()
    services.start(broken, [ada.pk])
    services.start(sound, [ada.pk])

    making.work()

    assert ada.tasks.get().title == "Sound"
    assert broken.runs.get().error == "Its version is gone or cannot be read."
    assert broken.runs.get().status == RunStatus.FAILED
