"""Publishing with people inside: they stay, move over, or leave; nobody is lost, nobody doubled."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connections
from django.urls import reverse

from accounts import services as accounts
from accounts.models import AuditEntry
from automations import selectors, services
from automations.models import AutomationRun, AutomationVersion, RunStatus, StepRun, Task
from automations.services import engine
from automations.services.versions import release
from automations.tests import making
from common import clock, tenancy
from common.errors import Conflict, Invalid

pytestmark = pytest.mark.django_db


def _named(step_id: str, action: dict) -> dict:
    return {"id": step_id, **action}


FIRST = _named("first", making.task("First"))
PAUSE = _named("pause", making.wait(days=2))
LAST = _named("last", making.task("Last"))
OTHER = _named("other", making.task("Other"))


def _waiting(count: int = 3):
    """A workflow with people who wait in it."""
    automation = making.automation(FIRST, PAUSE, LAST)
    services.start(automation, [one.pk for one in making.contacts(count)])
    making.work()
    return automation


def _titles() -> list[str]:
    return sorted(Task.objects.values_list("title", flat=True))


def test_moved_people_keep_their_moment_and_nothing_is_done_twice(organization) -> None:
    automation = _waiting()
    due = set(AutomationRun.objects.values_list("run_at", flat=True))

    done = release(automation, mode="migrate", flow={"actions": [FIRST, PAUSE, OTHER]})

    assert (done.version.number, done.moved, done.left) == (2, 3, 0)
    assert set(AutomationRun.objects.values_list("version__number", "step_id")) == {(2, "pause")}
    assert set(AutomationRun.objects.values_list("run_at", flat=True)) == due
    assert making.work() == 0
    with clock.travel(timedelta(days=2, minutes=1)):
        making.work()
    assert _titles() == ["First"] * 3 + ["Other"] * 3
    assert making.outcomes(AutomationRun.objects.first()) == [
        ("first", "done"), ("pause", "moved"), ("pause", "waited"), ("other", "done"),
    ]  # fmt: skip
    assert StepRun.objects.filter(outcome="moved").first().detail["from_version"] == 1
    assert AuditEntry.objects.get(action="publish").after == {"version": 2, "mode": "migrate", "moved": 3, "left": 0}


def test_a_step_that_holds_people_and_is_gone_must_be_mapped(organization) -> None:
    automation = _waiting()
    flow = {"actions": [FIRST, LAST]}

    with pytest.raises(Invalid) as refusal:
        release(automation, mode="migrate", flow=flow)
    assert refusal.value.details == {
        "mapping.pause": "3 people stand here, and version 2 has no such step;"
        " say which step they go on from, or null to let them leave"
    }
    with pytest.raises(Invalid) as refusal:
        release(automation, mode="migrate", flow=flow, mapping={"pause": "nowhere"})
    assert refusal.value.details == {"mapping.pause": 'version 2 has no active step "nowhere"'}
    assert AutomationVersion.objects.count() == 1
    assert set(AutomationRun.objects.values_list("version__number", "step_id")) == {(1, "pause")}
    assert not AuditEntry.objects.filter(action="publish").exists()

    release(automation, mode="migrate", flow=flow, mapping={"pause": "last"})
    making.work()
    assert _titles() == ["First"] * 3 + ["Last"] * 3


def test_sent_back_to_a_step_that_was_done_it_is_not_done_again(organization) -> None:
    automation = _waiting()

    release(automation, mode="migrate", flow={"actions": [FIRST, LAST]}, mapping={"pause": "first"})
    making.work()

    assert _titles() == ["First"] * 3 + ["Last"] * 3
    assert set(AutomationRun.objects.values_list("status", flat=True)) == {RunStatus.COMPLETED}


def test_null_lets_them_leave_and_exit_takes_everybody_out(organization) -> None:
    automation = _waiting()
    done = release(automation, mode="migrate", flow={"actions": [FIRST, LAST]}, mapping={"pause": None})

    assert (done.moved, done.left) == (0, 3)
    assert set(AutomationRun.objects.values_list("status", "exit_reason", "step_id")) == {("exited", "drained", "")}
    assert making.outcomes(AutomationRun.objects.first())[-1] == ("pause", "exited")

    services.update_automation(automation, {"entry_rule": "again", "actions": [PAUSE]})
    automation.refresh_from_db()
    services.start(automation, list(AutomationRun.objects.values_list("contact_id", flat=True)))
    making.work()
    assert release(automation, mode="exit", flow={"actions": [LAST]}).left == 3
    assert AutomationRun.objects.filter(status=RunStatus.RUNNING).count() == 0


def test_kept_people_finish_their_version_and_drained_versions_show_as_closing(organization) -> None:
    automation = _waiting(1)

    release(automation, mode="drain", flow={"actions": [FIRST, PAUSE, OTHER]})

    automation.refresh_from_db()
    states = {report.version.number: report.state for report in selectors.version_reports(automation)}
    assert states == {2: "current", 1: "closing"}
    with clock.travel(timedelta(days=3)):
        making.work()
    reports = {report.version.number: report for report in selectors.version_reports(automation)}
    assert {number: report.state for number, report in reports.items()} == {2: "current", 1: "closed"}
    assert (reports[1].entered, reports[1].completed, reports[1].inside) == (1, 1, 0)
    assert _titles() == ["First", "Last"]


def test_held_and_failed_people_move_and_stay_what_they_are(organization) -> None:
    automation = _waiting(2)
    one = AutomationRun.objects.order_by("pk").first()
    AutomationRun.objects.filter(pk=one.pk).update(status=RunStatus.FAILED, error="no")
    services.deactivate(automation)

    release(automation, mode="migrate", flow={"actions": [FIRST, PAUSE, OTHER]})

    assert list(AutomationRun.objects.order_by("pk").values_list("status", "version__number", "error")) == [
        ("failed", 2, "no"),
        ("held", 2, ""),
    ]


def test_an_older_version_is_published_again_and_people_brought_back(organization) -> None:
    automation = _waiting(1)
    release(automation, mode="migrate", flow={"actions": [FIRST, PAUSE, OTHER]})

    done = release(automation, mode="migrate", number=1)

    assert (done.version.number, done.moved) == (3, 1)
    assert AutomationVersion.objects.get(number=3).document == AutomationVersion.objects.get(number=1).document
    with pytest.raises(Invalid):
        release(automation, number=9)
    with pytest.raises(Conflict):
        release(automation)
    assert AutomationVersion.objects.count() == 3


def test_a_preview_says_what_changes_and_who_stands_where_and_writes_nothing(organization) -> None:
    automation = _waiting()

    preview = services.preview(automation, flow={"actions": [FIRST, LAST, OTHER]})

    assert (preview.number, preview.is_new, preview.people) == (2, True, 3)
    assert [(place.step_id, place.people, place.target) for place in preview.unsettled] == [("pause", 3, None)]
    assert preview.differences == [
        "New: Create the task “Other” for the assignee",
        "Gone: Wait 2 days",
    ]
    assert AutomationVersion.objects.count() == 1


def test_the_page_shows_who_stands_where_and_publishes(admin, organization) -> None:
    automation = _waiting()
    automation.draft = {"actions": [FIRST, LAST]}
    automation.save()
    page = reverse("automation-publish", args=[automation.pk])

    shown = admin.get(page).content.decode()
    assert "3 people are inside" in shown
    assert "Choose: this step is gone" in shown
    refused = admin.post(page, {"mode": "migrate", "to:pause": ""}).content.decode()
    assert "It was not published" in refused
    assert AutomationVersion.objects.count() == 1

    answer = admin.post(page, {"mode": "migrate", "to:pause": "last"}, follow=True)

    assert "Version 2 is published; new people enter it. 3 people moved over." in answer.content.decode()
    automation.refresh_from_db()
    assert (automation.draft, automation.current_version.number) == (None, 2)


def test_the_api_publishes_and_tells_versions(api, organization) -> None:
    automation = _waiting()
    address = f"/api/v1/automations/{automation.pk}"
    flow = {"actions": [FIRST, LAST]}

    dry = api.post(f"{address}/publish/", {**flow, "mode": "migrate", "dry_run": True}, format="json").json()
    assert (dry["version"], dry["places"][0]["people"], dry["places"][0]["target"]) == (2, 3, None)
    refused = api.post(f"{address}/publish/", {**flow, "mode": "migrate"}, format="json")
    assert (refused.status_code, refused.json()["code"]) == (400, "unmapped_steps")
    done = api.post(
        f"{address}/publish/", {**flow, "mode": "migrate", "mapping": {"pause": "last"}}, format="json"
    ).json()
    assert (done["version"], done["moved"]) == (2, 3)
    listed = api.get(f"{address}/versions/").json()
    assert [(row["number"], row["state"], row["inside"], row["moved"]) for row in listed] == [
        (2, "current", 3, 3),
        (1, "older", 0, 0),
    ]
    whole = api.get(f"{address}/versions/1/").json()
    assert whole["flow"]["actions"][0]["id"] == "first"
    assert whole["steps"]["first"]["passed"] == 3
    assert api.get(f"{address}/versions/9/").status_code == 404


@pytest.mark.django_db(transaction=True)
def test_nobody_is_lost_when_engines_are_at_work(monkeypatch) -> None:
    monkeypatch.setattr(engine, "BATCH", 10)
    organization = accounts.create_organization("Acme", "acme")
    errors: list[Exception] = []

    def work() -> None:
        try:
            engine.run(organization.pk)
        except Exception as error:  # noqa: BLE001 — handed to the test
            errors.append(error)
        finally:
            connections.close_all()

    with tenancy.organization(organization.pk):
        automation = making.automation(FIRST, OTHER, LAST)
        services.start(automation, [one.pk for one in making.contacts(100)])
        threads = [threading.Thread(target=work) for _ in range(2)]
        for thread in threads:
            thread.start()
        release(
            automation, mode="migrate", flow={"actions": [FIRST, OTHER, LAST, _named("more", making.task("More"))]}
        )
        for thread in threads:
            thread.join()
        engine.run(organization.pk)

        assert errors == []
        assert AutomationRun.objects.filter(status=RunStatus.COMPLETED).count() == 100
        moved = AutomationRun.objects.filter(version__number=2).count()
        assert Task.objects.filter(title__in=["First", "Other", "Last"]).count() == 300
        assert Task.objects.filter(title="More").count() == moved
