"""The page of one run: why it went its way, what it waits for, and what colleagues do with it by hand."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from accounts import services as accounts
from accounts.domain.roles import Role
from accounts.models import AuditEntry
from automations import services
from automations.models import AutomationRun, RunStatus, StepRun, Task
from automations.services import hands
from automations.tests import making
from common import clock
from common.errors import Conflict, NotFound

pytestmark = pytest.mark.django_db


def _run(*actions, **contact) -> AutomationRun:
    automation = making.automation(*actions)
    services.start(automation, [making.contact(**contact).pk])
    making.work()
    return AutomationRun.objects.get()


def test_the_page_tells_what_it_waits_for_and_what_it_queued(admin, organization) -> None:
    template = making.template()
    run = _run({"action_type": "send_email", "configuration": {"template_id": template.pk}}, making.wait(days=1))

    page = admin.get(reverse("admin:automations_automationrun_change", args=[run.pk])).content.decode()

    assert "Stands on “Wait 1 day”" in page
    assert "Waits until" in page
    assert "Email queued" in page
    assert "Go on now" in page


def test_go_on_ends_a_wait(organization) -> None:
    run = _run(making.wait(days=9), making.task())

    hands.go_on(run.pk)
    making.work()

    assert Task.objects.count() == 1
    assert AuditEntry.objects.get(action="go_on").after["run"] == run.pk
    with pytest.raises(Conflict):
        hands.go_on(run.pk)


def test_skip_passes_over_a_failed_step(organization) -> None:
    run = _run(making.wait(days=1), making.task())
    AutomationRun.objects.update(status=RunStatus.FAILED, error="no", waiting_since=None)

    hands.skip(run.pk)
    making.work()

    assert making.outcomes(run) == [("wait_1", "skipped"), ("create_task_1", "done")]
    assert StepRun.objects.first().detail["reason"] == "passed over by hand"
    run.refresh_from_db()
    assert (run.status, run.error) == (RunStatus.COMPLETED, "")
    with pytest.raises(Conflict):
        hands.skip(run.pk)


def test_skipping_the_last_step_ends_the_run_and_a_held_one_stays_held(organization) -> None:
    run = _run(making.wait(days=1), making.wait(days=2))
    services.deactivate(run.automation)

    hands.skip(run.pk)
    run.refresh_from_db()
    assert (run.status, run.step_id) == (RunStatus.HELD, "wait_2")
    hands.skip(run.pk)
    run.refresh_from_db()
    assert (run.status, run.step_id, run.finished_at is not None) == (RunStatus.COMPLETED, "", True)


def test_try_again_and_take_out_refuse_what_they_cannot(organization) -> None:
    run = _run(making.wait(days=1))

    with pytest.raises(Conflict):
        hands.try_again(run.pk)
    hands.take_out(run.pk)
    run.refresh_from_db()
    assert run.status == RunStatus.CANCELLED
    for refused in (hands.take_out, hands.try_again, hands.skip, hands.go_on):
        with pytest.raises(Conflict):
            refused(run.pk)
    with pytest.raises(NotFound):
        hands.skip(900_000_000)


def test_the_buttons_are_for_those_who_may_write(admin, organization) -> None:
    run = _run(making.wait(days=1), making.task())
    go_on = reverse("automation-run-go-on", args=[run.pk])
    reader = accounts.ensure_user("reader@example.org")
    accounts.add_member(reader, Role.ANALYST)
    client = Client()
    client.force_login(reader)
    assert client.post(go_on).status_code == 403
    assert admin.get(go_on).status_code == 405

    page = admin.post(go_on, follow=True).content.decode()

    assert "The wait is over; it goes on now." in page
    assert AutomationRun.objects.get().run_at <= clock.now()
    with clock.travel(timedelta(seconds=1)):
        making.work()
    assert "This run is over already." in admin.post(go_on, follow=True).content.decode()
