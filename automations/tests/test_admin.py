from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse

from accounts import services as accounts
from accounts.domain.roles import Role
from accounts.models import AuditEntry
from automations import services
from automations.models import Automation, AutomationRun, Notification, RunStatus, ScheduledTask, Task, TaskStatus
from automations.tests import making
from common import clock

pytestmark = pytest.mark.django_db


def _list(model: str) -> str:
    return reverse(f"admin:automations_{model}_changelist")


def _form(**values: Any) -> dict[str, Any]:
    defaults = {
        "name": "Welcome",
        "slug": "",
        "description": "",
        "run_immediately": "on",
        "weight": 20,
        "shelf_hours": "",
        "holdout_percent": 0,
    }
    return defaults | values


def test_a_workflow_begins_with_its_name_and_goes_on_on_the_canvas(admin, organization) -> None:
    answer = admin.post(reverse("admin:automations_automation_add"), _form(weight=30))

    made = Automation.objects.get()
    assert answer.status_code == 302
    assert answer["Location"] == reverse("admin:automations_automation_editor", args=[made.pk])
    assert (made.slug, made.weight, made.is_active, made.current_version) == ("welcome", 30, False, None)
    assert made.draft["actions"] == []
    page = admin.get(reverse("admin:automations_automation_change", args=[made.pk])).content.decode()
    assert "Not published yet" in page


def test_a_refusal_stands_beside_its_field_and_writes_nothing(admin, organization) -> None:
    making.automation(making.task())

    answer = admin.post(reverse("admin:automations_automation_add"), _form(slug="welcome"))

    assert answer.status_code == 200
    assert answer.context["adminform"].form.errors["slug"] == [
        'There is already an automation with the slug "welcome".'
    ]
    assert Automation.objects.count() == 1


def test_settings_are_changed_without_another_version_and_are_in_the_audit_log(admin, organization) -> None:
    automation = making.automation(making.task())
    page = reverse("admin:automations_automation_change", args=[automation.pk])

    answer = admin.post(page, _form(slug="welcome", holdout_percent=5))

    assert answer.status_code == 302
    automation.refresh_from_db()
    assert (automation.holdout_percent, automation.is_active, automation.current_version.number) == (5, True, 1)
    assert AuditEntry.objects.filter(object_type="automations.automation", action="change").count() == 1


def test_the_list_counts_runs_and_each_number_leads_to_its_rows(admin, organization) -> None:
    automation = making.automation(making.EXIT)
    waiting = making.automation(making.wait(days=1), name="Waiting")
    people = making.contacts(3)
    services.start(automation, [person.pk for person in people])
    services.start(waiting, [people[0].pk])
    making.work()

    page = admin.get(_list("automation")).content.decode()

    rows = _list("automationrun")
    finished = f"{rows}?automation__id__exact={automation.pk}&amp;status__in=completed%2Cexited"
    assert f'<a href="{finished}">3</a>' in page
    found = admin.get(f"{rows}?automation__id__exact={automation.pk}&status__in=completed%2Cexited")
    assert found.context["cl"].result_count == 3
    assert {run.place_name for run in found.context["cl"].result_list} == {""}
    inside = admin.get(f"{rows}?automation__id__exact={waiting.pk}")
    assert [run.place_name for run in inside.context["cl"].result_list] == ["Wait 1 day"]
    assert "<title>Runs | " in " ".join(inside.content.decode().split()).replace("<title> ", "<title>")


def test_switching_off_says_how_many_people_are_held_and_asks_once(admin, organization) -> None:
    automation = making.automation(making.wait(days=1))
    services.start(automation, [person.pk for person in making.contacts(2)])
    making.work()
    page = reverse("admin:automations_automation_switch", args=[automation.pk])

    assert "2 people are inside" in admin.get(page).content.decode()
    assert Automation.objects.get().is_active
    assert admin.post(page, {"to": "off"}).status_code == 302
    again = admin.post(page, {"to": "off"}, follow=True)  # the second half of a double click

    assert "is switched off already." in again.content.decode()
    assert not Automation.objects.get().is_active
    assert set(AutomationRun.objects.values_list("status", flat=True)) == {RunStatus.HELD}


def test_deleting_tells_how_many_people_it_touches(admin, organization) -> None:
    automation = making.automation(making.wait(days=1))
    services.start(automation, [making.contact().pk])
    page = reverse("admin:automations_automation_delete", args=[automation.pk])

    assert "1 person inside" in admin.get(page).content.decode()
    assert admin.post(page, {"post": "yes"}).status_code == 302

    assert not Automation.objects.exists()
    assert not AutomationRun.objects.exists()


def test_a_run_shows_its_steps_and_what_comes_next(admin, organization) -> None:
    automation = making.automation(
        making.branch(making.where("city", "Leeds"), [making.task()], []), making.wait(days=2)
    )
    services.start(automation, [making.contact(city="Leeds").pk])
    making.work()

    run = AutomationRun.objects.get()
    page = admin.get(reverse("admin:automations_automationrun_change", args=[run.pk])).content.decode()

    assert "If city is “Leeds”" in page
    assert ">branched</span> then" in page
    assert "Wait 2 days" in page


def test_a_dead_letter_is_tried_again_from_the_list(admin, organization) -> None:
    automation = making.automation(making.task())
    services.start(automation, [making.contact().pk])
    AutomationRun.objects.update(status=RunStatus.FAILED, error="Something broke.")
    chosen = {"action": "replay", "_selected_action": [AutomationRun.objects.get().pk]}

    assert admin.post(_list("automationrun"), chosen).status_code == 302
    making.work()

    assert AutomationRun.objects.get().status == RunStatus.COMPLETED
    assert Task.objects.count() == 1
    assert AuditEntry.objects.filter(action="replay").count() == 1


def test_tasks_are_found_taken_and_done(admin, owner) -> None:
    today = clock.now().date()
    mine = Task.objects.create(title="Mine", assignee=owner, due_date=today - timedelta(days=2))
    free = Task.objects.create(title="Free")

    assert [task.pk for task in admin.get(f"{_list('task')}?whose=mine").context["cl"].result_list] == [mine.pk]
    assert [task.pk for task in admin.get(f"{_list('task')}?due=overdue").context["cl"].result_list] == [mine.pk]
    admin.post(_list("task"), {"action": "take", "_selected_action": [free.pk]})
    admin.post(_list("task"), {"action": "finish", "_selected_action": [mine.pk]})

    free.refresh_from_db()
    mine.refresh_from_db()
    assert free.assignee == owner
    assert (mine.status, mine.done_at is not None) == (TaskStatus.DONE, True)


def test_a_task_is_written_in_the_form(admin, owner) -> None:
    contact = making.contact()
    values = {
        "title": "Call",
        "description": "",
        "contact": contact.pk,
        "assignee": owner.pk,
        "due_date": "2027-01-31",
        "priority": "high",
        "task_type": "call",
        "status": "open",
    }

    assert admin.post(reverse("admin:automations_task_add"), values).status_code == 302

    task = Task.objects.get()
    assert (task.contact, task.assignee, task.priority) == (contact, owner, "high")


def test_a_scheduled_task_is_written_in_the_form_and_shown_in_words(admin, organization) -> None:
    contact = making.contact()
    values = {
        "name": "Every Monday",
        "task_type": "update_contact",
        "contacts": "ada@example.org",
        "new_status": "won",
        "schedule_type": "recurring",
        "cron": "0 9 * * mon",
        "timezone": "Europe/London",
        "priority": "0",
        "most_retries": "3",
        "is_active": "on",
        "run_at_0": "2026-01-01",
        "run_at_1": "09:00",
        "delay_seconds": "",
    }

    answer = admin.post(reverse("admin:automations_scheduledtask_add"), values)

    assert answer.status_code == 302, answer.context["adminform"].form.errors
    task = ScheduledTask.objects.get()
    assert task.run_at > clock.now()
    assert task.payload == {"contact_ids": [contact.pk], "changes": {"status": "won"}}
    assert "only on Monday" in admin.get(_list("scheduledtask")).content.decode()
    wrong = admin.post(reverse("admin:automations_scheduledtask_add"), values | {"cron": "x"})
    assert "needs five parts" in wrong.context["adminform"].form.errors["cron"][0]
    assert ScheduledTask.objects.count() == 1


def test_everybody_sees_their_own_notifications_and_marks_them_read(admin, owner) -> None:
    other = accounts.add_member(accounts.ensure_user("else@acme.example"), Role.AGENT)
    mine = Notification.objects.create(member=owner, message="For me")
    Notification.objects.create(member=other, message="For somebody else")

    page = admin.get(_list("notification"))
    admin.post(_list("notification"), {"action": "read", "_selected_action": [mine.pk]})

    assert [row.message for row in page.context["cl"].result_list] == ["For me"]
    assert Notification.objects.filter(read_at=None).count() == 1


def test_an_agent_works_tasks_and_changes_no_workflow(client, organization) -> None:
    agent = accounts.add_member(accounts.ensure_user("agent@acme.example"), Role.AGENT)
    automation = making.automation(making.task())
    client.force_login(agent.user)

    assert client.get(_list("task")).status_code == 200
    assert client.get(_list("automation")).status_code == 200
    page = reverse("admin:automations_automation_switch", args=[automation.pk])
    assert client.post(page).status_code == 403
    assert Automation.objects.get().is_active
