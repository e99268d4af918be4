"""Workflows count themselves: the sums are right whoever writes, before and after folding."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models import Sum

from automations import selectors, services
from automations.models import AutomationRun, RunCount, RunStatus, StepCount, StepRun
from automations.services import counting
from automations.tests import making
from common import clock

pytestmark = pytest.mark.django_db
SPLIT = making.branch(making.where("city", "Leeds"), [making.wait(days=1)], [making.EXIT])


def _standing() -> dict[tuple[str, str], int]:
    rows = RunCount.objects.values_list("status", "step_id").annotate(Sum("people")).order_by()
    return {(status, step_id): people for status, step_id, people in rows if people}


def _done() -> dict[tuple[str, str, str], int]:
    rows = StepCount.objects.values_list("step_id", "outcome", "way").annotate(Sum("times")).order_by()
    return {(step_id, outcome, way): times for step_id, outcome, way, times in rows if times}


def test_each_write_of_runs_and_steps_is_counted_and_folding_changes_no_sum(organization) -> None:
    automation = making.automation(making.task(), SPLIT)
    people = [*making.contacts(3, city="Leeds"), *making.contacts(2, city="Bath")]
    services.start(automation, [one.pk for one in people])
    assert _standing() == {("running", "create_task_1"): 5}
    making.work()

    standing = {("running", "wait_1"): 3, ("exited", ""): 2}
    done = {
        ("", "entered", ""): 5,
        ("", "exited", ""): 2,
        ("create_task_1", "done", ""): 5,
        ("branch_1", "branched", "then"): 3,
        ("branch_1", "branched", "otherwise"): 2,
        ("exit_1", "exited", ""): 2,
    }
    assert (_standing(), _done()) == (standing, done)
    assert counting.fold() == 2
    assert (_standing(), _done()) == (standing, done)
    assert RunCount.objects.count() == len(standing)
    assert counting.fold() == 0
    services.deactivate(automation)
    assert _standing() == {("held", "wait_1"): 3, ("exited", ""): 2}
    AutomationRun.objects.filter(status=RunStatus.HELD).first().delete()
    assert _standing() == {("held", "wait_1"): 2, ("exited", ""): 2}


def test_step_counts_tell_who_is_there_and_who_came_so_far(organization) -> None:
    automation = making.automation(making.task(), SPLIT)
    services.start(
        automation, [one.pk for one in [*making.contacts(3, city="Leeds"), *making.contacts(1, city="Bath")]]
    )
    making.work()

    counts = selectors.step_counts(automation.current_version)

    assert counts["entered"] == 4
    wait = counts["steps"]["wait_1"]
    assert (wait["now"], wait["passed"], wait["failed"], wait["conversion"]) == (3, 0, 0, 0.75)
    assert counts["steps"]["branch_1"]["branches"] == {"then": 3, "otherwise": 1}
    assert counts["steps"]["exit_1"]["passed"] == 1
    assert [(one.number, one.people, one.steps) for one in selectors.inside(automation)] == [
        (1, 3, {"wait_1": {"running": 3}})
    ]


def test_a_step_record_says_its_workflow_and_how_long_after_the_entry(organization) -> None:
    automation = making.automation(making.wait(hours=2))
    services.start(automation, [making.contact().pk])
    making.work()
    with clock.travel(timedelta(hours=3)):
        making.work()

    record = StepRun.objects.get()
    assert (record.automation_id, record.version_id) == (automation.pk, automation.current_version_id)
    assert 10_800 <= record.seconds < 10_860
    assert StepCount.objects.get(step_id="wait_1").slot == 53


def test_deleting_a_workflow_leaves_no_counts(organization) -> None:
    automation = making.automation(SPLIT)
    services.start(automation, [making.contact().pk])
    making.work()

    services.delete_automation(automation)

    assert not RunCount.objects.exists()
    assert not StepCount.objects.exists()
