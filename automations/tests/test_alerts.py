"""Failed people by cause, and alerts that open, are told once, and close."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.urls import reverse

from accounts.models import AuditEntry
from automations import services
from automations.models import Alert, AutomationRun, Notification, RunStatus, StepCount, StepRun, WatchSettings
from automations.selectors.troubles import troubles
from automations.services import alerts
from automations.services.purge import purge_records
from automations.services.troubles import Cause, dismiss_all, replay_all
from automations.tests import making
from common import clock

pytestmark = pytest.mark.django_db


def _failed(count: int, name: str = "Welcome"):
    """People who failed at the first step, each error with a number of its own."""
    automation = making.automation(making.wait(days=1), name=name)
    services.start(automation, [one.pk for one in making.contacts(count)])
    making.work()
    for run in automation.runs.all():
        AutomationRun.objects.filter(pk=run.pk).update(
            status=RunStatus.FAILED, error=f"There is no template {run.pk} any more.", run_at=clock.now()
        )
    return automation


def test_failures_are_grouped_by_cause_and_tried_again_at_once(organization) -> None:
    automation, other = _failed(3), _failed(1, "Other")

    found = troubles()
    assert [(one.workflow, one.people, one.cause.words) for one in found] == [
        ("Welcome", 3, "There is no template # any more."),
        ("Other", 1, "There is no template # any more."),
    ]
    assert troubles(other.pk) == found[1:]

    assert replay_all(found[0].cause) == 3
    assert set(automation.runs.values_list("status", "error")) == {("running", "")}
    assert other.runs.get().status == RunStatus.FAILED
    assert AuditEntry.objects.get(action="replay").after["runs"] == 3
    assert replay_all(found[0].cause) == 0
    assert replay_all(Cause(900_000_000, "", "")) == 0


def test_dismissed_at_once_they_are_out_and_their_log_says_so(organization) -> None:
    automation = _failed(2)

    assert dismiss_all(troubles()[0].cause) == 2

    assert set(automation.runs.values_list("status", flat=True)) == {"cancelled"}
    assert set(StepRun.objects.values_list("outcome", "detail__reason")) == {("exited", "taken out by hand")}
    assert troubles() == []


def test_switched_off_they_are_held_when_tried_again(organization) -> None:
    automation = _failed(1)
    services.deactivate(automation)

    replay_all(troubles()[0].cause)

    assert automation.runs.get().status == RunStatus.HELD


def test_the_page_retries_and_says_when_nothing_is_wrong(admin, organization) -> None:
    page = reverse("automation-troubles")
    assert "Nobody has failed" in admin.get(page).content.decode()
    automation = _failed(2)
    cause = troubles()[0].cause
    assert "Try 2 again" in admin.get(page).content.decode()

    posted = {"automation": automation.pk, "step": cause.step_id, "cause": cause.words, "do": "replay"}
    answer = admin.post(reverse("automation-troubles-act"), posted, follow=True)

    assert "2 people tried again." in answer.content.decode()
    assert (
        "Nobody is left there" in admin.post(reverse("automation-troubles-act"), posted, follow=True).content.decode()
    )
    assert admin.post(reverse("automation-troubles-act"), posted | {"do": "x"}).status_code == 404
    assert admin.post(reverse("automation-troubles-act"), posted | {"cause": "\0"}).status_code == 404


def test_alerts_open_once_are_told_and_close(owner, organization, django_capture_on_commit_callbacks) -> None:
    alerts.read_alerts(owner, wanted=True, by_mail=True)
    _failed(2)

    with django_capture_on_commit_callbacks(execute=True):
        opened = alerts.watch()

    assert [(alert.kind, alert.sentence) for alert in opened] == [
        ("failing", "2 people failed within two days, 100% of those who came to an end")
    ]
    assert Notification.objects.get().message.startswith("“Welcome”: 2 people failed")
    assert len(mail.outbox) == 1
    assert mail.outbox[0].to == [owner.user.email]
    assert alerts.watch() == []
    dismiss_all(troubles()[0].cause)
    assert alerts.watch() == []
    assert Alert.objects.get().closed_at is not None
    assert Notification.objects.count() == 1


def test_each_kind_of_trouble_is_found(organization) -> None:
    WatchSettings.objects.create(stuck_seconds=60, silent_days=3)
    looping = _failed(1, "Looping")
    AutomationRun.objects.filter(automation=looping).update(error="Loop guard: too often")
    stuck = making.automation(making.task(), name="Stuck", run_immediately=False)
    services.start(stuck, [making.contact().pk])
    with clock.travel(timedelta(minutes=5)):
        alerts.watch()
    assert set(Alert.objects.values_list("automation__name", "kind")) == {
        ("Stuck", "stuck"),
        ("Looping", "looping"),
        ("Looping", "failing"),
    }
    with clock.travel(timedelta(days=4)):
        alerts.watch()
    assert Alert.objects.filter(kind="silent", closed_at=None).count() == 2


def test_who_reads_alerts_says_so_on_the_page(admin, owner, organization) -> None:
    address = reverse("automation-alert-me")
    admin.post(address, {"wanted": "here"})
    assert "Here, as a notification" in admin.get(reverse("automation-troubles")).content.decode()
    _failed(1)
    alerts.watch()
    assert (Notification.objects.count(), len(mail.outbox)) == (1, 0)
    admin.post(address, {"wanted": "no"})
    assert "You are not told of alerts." in admin.post(address, {"wanted": "no"}, follow=True).content.decode()


def test_old_step_records_go_where_a_span_is_set_and_counts_stay(organization, monkeypatch) -> None:
    monkeypatch.setattr("automations.services.purge.BLOCK", 2)
    automation = making.automation(making.task(), making.task("Second"))
    services.start(automation, [one.pk for one in making.contacts(3)])
    making.work()
    waiting = making.automation(making.task(), making.wait(days=900), name="Waiting")
    services.start(waiting, [making.contact().pk])
    making.work()

    with clock.travel(timedelta(days=100)):
        assert purge_records() == 0
        WatchSettings.objects.create(keep_days=90)
        assert purge_records() == 6
    assert set(StepRun.objects.values_list("automation_id", flat=True)) == {waiting.pk}
    assert sum(StepCount.objects.filter(automation=automation, outcome="done").values_list("times", flat=True)) == 6
