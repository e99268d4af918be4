import json
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.urls import reverse, reverse_lazy

from automations import recurrence, services
from automations.models import AutomationRun, ScheduledStatus, ScheduledTask
from automations.services import scheduled
from automations.tests import making
from common import clock, tenancy
from common.errors import Conflict, Invalid
from delivery.models import Message

pytestmark = pytest.mark.django_db
URL = "/api/v1/automations/scheduled-tasks/"


def _schedule(contact, **values) -> ScheduledTask:
    defaults = {
        "name": "Promote",
        "task_type": "update_contact",
        "payload": {"contact_ids": [contact.pk], "changes": {"status": "won"}},
        "run_at": clock.now(),
    }
    return services.schedule(defaults | values)


def test_a_task_runs_when_its_time_has_come(organization) -> None:
    contact = making.contact()
    task = _schedule(contact, run_at=clock.now() + timedelta(hours=1))

    assert scheduled.run(organization.pk) == 0
    with clock.travel(timedelta(hours=1, seconds=1)):
        assert scheduled.run(organization.pk) == 1

    task.refresh_from_db()
    contact.refresh_from_db()
    assert (task.status, task.result, task.turn_count) == (ScheduledStatus.COMPLETED, {"contacts": 1}, 1)
    assert contact.status == "won"
    assert scheduled.run(organization.pk) == 0


def test_a_delayed_task_waits_for_its_delay(organization) -> None:
    with clock.freeze(datetime(2026, 11, 21, 12, tzinfo=UTC)):
        task = _schedule(making.contact(), schedule_type="delayed", delay_seconds=90)

    assert task.run_at == datetime(2026, 11, 21, 12, 1, 30, tzinfo=UTC)


def test_what_matters_more_goes_first(organization) -> None:
    contact = making.contact()
    low = _schedule(contact, name="low", priority=-1, run_at=clock.now() - timedelta(days=1))
    high = _schedule(contact, name="high", priority=5)

    assert [task.pk for task in services.process_due()] == [high.pk, low.pk]


def test_a_failure_is_tried_again_and_then_given_up(organization) -> None:
    automation = making.automation(making.task())
    services.deactivate(automation)
    contact = making.contact()
    task = _schedule(
        contact,
        task_type="start_automation",
        payload={"automation_id": automation.pk, "contact_ids": [contact.pk]},
        most_retries=2,
    )

    states = []
    for minutes in (0, 10, 20, 30):
        with clock.travel(timedelta(minutes=minutes)):
            scheduled.run(organization.pk)
        task.refresh_from_db()
        states.append((task.status, task.attempts))

    assert states == [("retry_scheduled", 1), ("retry_scheduled", 2), ("failed", 3), ("failed", 3)]
    assert "switched off" in task.error
    assert not AutomationRun.objects.exists()
    services.activate(automation)
    services.reschedule(task, {"run_at": clock.now()})
    scheduled.run(organization.pk)
    task.refresh_from_db()
    assert (task.status, task.result) == (ScheduledStatus.COMPLETED, {"entered": 1})


def test_a_recurring_task_has_its_next_turn_in_the_future(organization) -> None:
    with clock.freeze(datetime(2026, 11, 21, 12, tzinfo=UTC)):
        task = _schedule(making.contact(), schedule_type="recurring", cron="0 9 * * mon", timezone="Europe/Berlin")
    assert task.run_at == datetime(2026, 11, 23, 8, tzinfo=UTC)

    with clock.freeze(datetime(2026, 12, 10, 12, tzinfo=UTC)):
        assert scheduled.run(organization.pk) == 1

    task.refresh_from_db()
    assert (task.status, task.turn_count) == (ScheduledStatus.PENDING, 1)
    assert task.run_at == datetime(2026, 12, 14, 8, tzinfo=UTC)


def test_a_template_is_sent_once_per_turn(organization) -> None:
    contact = making.contact()
    template = making.template()
    _schedule(contact, task_type="send_template", payload={"template_id": template.pk, "contact_ids": [contact.pk]})

    scheduled.run(organization.pk)

    message = Message.objects.get()
    assert (message.contact_id, message.content.subject) == (contact.pk, "Hello {{ contact.name }}")


@pytest.mark.parametrize(
    ("values", "place", "sentence"),
    [
        ({"task_type": "fly"}, "task_type", "unknown task"),
        ({"payload": {}}, "payload.contact_ids", "is missing"),
        (
            {"payload": {"contact_ids": [9_999_999], "changes": {"status": "x"}}},
            "payload.contact_ids[0]",
            "no contact",
        ),
        ({"schedule_type": "recurring", "cron": "x"}, "cron", "needs five parts"),
        ({"schedule_type": "recurring", "cron": "99 * * * *"}, "cron", 'cannot read the minute "99"'),
        ({"schedule_type": "recurring", "cron": "0 0 30 2 *"}, "cron", "never comes"),
        ({"schedule_type": "recurring", "cron": "* * * * *", "timezone": "Mars"}, "timezone", "no time zone"),
        ({"schedule_type": "delayed"}, "delay_seconds", "say after how many seconds"),
        ({"most_retries": -1}, "most_retries", "must be from 0"),
        ({"name": " "}, "name", "must be 1 to 200"),
        ({"colour": "red"}, "colour", "no such field"),
    ],
)
def test_a_wrong_task_is_refused_with_its_place_and_writes_nothing(organization, values, place, sentence) -> None:
    with pytest.raises(Invalid) as refusal:
        _schedule(making.contact(), **values)

    assert sentence in refusal.value.details[place]
    assert not ScheduledTask.objects.exists()


@pytest.mark.parametrize(
    ("cron", "zone", "after", "expected"),
    [
        ("*/15 * * * *", "UTC", "2026-01-01T00:00:00", "2026-01-01T00:15:00"),
        ("0 9 1 * *", "UTC", "2026-01-01T09:00:00", "2026-02-01T09:00:00"),
        ("0 0 29 2 *", "UTC", "2026-01-01T00:00:00", "2028-02-29T00:00:00"),
        ("0 0 13 * fri", "UTC", "2026-11-07T00:00:00", "2026-11-13T00:00:00"),
        ("0 0 13 * fri", "UTC", "2026-11-13T00:00:00", "2026-11-20T00:00:00"),
        ("0 12 * * 7", "UTC", "2026-11-21T00:00:00", "2026-11-22T12:00:00"),
        # Europe/London, 29 March 2026: 01:00 to 02:00 does not exist; it is 02:30 summer time, 01:30 UTC.
        ("30 1 * * *", "Europe/London", "2026-03-28T12:00:00", "2026-03-29T01:30:00"),
        # 25 October 2026: 01:30 comes twice; the first is summer time, 00:30 UTC, and there is no second.
        ("30 1 * * *", "Europe/London", "2026-10-25T00:00:00", "2026-10-25T00:30:00"),
        ("30 1 * * *", "Europe/London", "2026-10-25T00:30:00", "2026-10-26T01:30:00"),
    ],
)
def test_the_next_turn(cron, zone, after, expected) -> None:
    moment = datetime.fromisoformat(after).replace(tzinfo=UTC)

    assert recurrence.parse(cron, zone).after(moment) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


def test_the_six_endpoints(api, organization) -> None:
    contact = making.contact()
    values = {
        "name": "Promote",
        "task_type": "update_contact",
        "payload": {"contact_ids": [contact.pk], "changes": {"priority": "high"}},
        "run_at": "2026-01-01T00:00:00Z",
    }
    made = api.post(URL, values, format="json")
    assert made.status_code == 201, made.data
    one = f"{URL}{made.data['id']}/"
    assert api.get(one).data["status"] == "pending"
    assert api.put(one, made.data, format="json").status_code == 200
    assert api.patch(one, {"priority": 3}, format="json").data["priority"] == 3

    processed = api.post(f"{URL}process-due/")

    assert processed.status_code == 200, processed.data
    assert processed.data["processed"] == 1
    assert processed.data["results"][0]["status"] == "completed"
    assert [row["id"] for row in api.get(f"{URL}?status=completed").data["results"]] == [made.data["id"]]
    assert api.delete(one).status_code == 204
    assert api.get(one).status_code == 404


def test_every_try_is_kept_and_only_the_last_ones(organization, monkeypatch) -> None:
    monkeypatch.setattr(scheduled, "TRIES_KEPT", 3)
    with clock.freeze(datetime(2026, 11, 21, 12, tzinfo=UTC)):
        task = _schedule(making.contact(), schedule_type="recurring", cron="* * * * *", timezone="UTC")
    for minutes in range(1, 8):
        with clock.freeze(datetime(2026, 11, 21, 12, minutes, tzinfo=UTC)):
            assert scheduled.run(organization.pk) == 1

    tries = list(task.tries.order_by("pk").values_list("tried_at__minute", "status", "result"))
    assert tries[-1] == (7, "completed", {"contacts": 1})
    assert [minute for minute, _, _ in tries] == [4, 5, 6, 7]


def test_a_task_runs_now_and_goes_on_in_its_rhythm(organization) -> None:
    with clock.freeze(datetime(2026, 11, 21, 12, tzinfo=UTC)):
        task = _schedule(making.contact(), schedule_type="recurring", cron="0 9 * * mon", timezone="UTC")
        services.run_now(task)
        assert scheduled.run(organization.pk) == 1
        task.refresh_from_db()
        assert (task.status, task.turn_count) == ("pending", 1)
        assert task.run_at == datetime(2026, 11, 23, 9, tzinfo=UTC)

    services.reschedule(task, {"is_active": False})
    with pytest.raises(Conflict, match="switched off"):
        services.run_now(task)


def test_due_tasks_are_processed_by_command(organization) -> None:
    _schedule(making.contact())
    call_command("process_due_tasks", "--organization", "acme", "--json", stdout=(told := StringIO()))

    answer = json.loads(told.getvalue())
    assert (answer["processed"], answer["results"][0]["status"]) == (1, "completed")
    call_command("process_due_tasks", stdout=(told := StringIO()))
    assert told.getvalue() == "0 done.\n"


# --- the form -----------------------------------------------------------------------------------------------

FORM = {
    "name": "Promote",
    "task_type": "update_contact",
    "contacts": "ada@example.org",
    "new_status": "won",
    "schedule_type": "once",
    "run_at_0": "2027-01-01",
    "run_at_1": "09:00",
    "priority": "0",
    "most_retries": "3",
    "is_active": "on",
}
ADD = reverse_lazy("admin:automations_scheduledtask_add")


def test_each_kind_is_asked_in_fields_of_its_own(admin, organization) -> None:
    contact = making.contact()
    automation, template = making.automation(making.task()), making.template()
    asked = [
        (
            {"task_type": "start_automation", "automation": str(automation.pk)},
            {"automation_id": automation.pk, "contact_ids": [contact.pk]},
        ),
        (
            {
                "task_type": "send_template",
                "template": str(template.pk),
                "subject": "Hi",
                "contacts": str(contact.pk),
            },
            {"template_id": template.pk, "contact_ids": [contact.pk], "subject": "Hi"},
        ),
        (
            {"new_priority": "high", "attribute": "plan", "attribute_value": "pro"},
            {
                "contact_ids": [contact.pk],
                "changes": {"status": "won", "priority": "high", "attributes.plan": "pro"},
            },
        ),
    ]
    for values, payload in asked:
        answer = admin.post(ADD, FORM | values)
        assert answer.status_code == 302, answer.context["adminform"].form.errors
        assert ScheduledTask.objects.latest("pk").payload == payload


@pytest.mark.parametrize(
    ("values", "field", "sentence"),
    [
        ({"contacts": "nobody@example.org"}, "contacts", "there is no contact nobody@example.org"),
        ({"contacts": ""}, "contacts", "name 1 to 1,000 contacts"),
        ({"new_status": ""}, "new_status", "name at least one field"),
        ({"task_type": "start_automation"}, "automation", "is missing"),
        ({"task_type": "send_template", "template": "999"}, "template", "not one of the available choices"),
        ({"schedule_type": "recurring", "cron": "0 0 30 2 *"}, "cron", "never comes"),
    ],
)
def test_a_refusal_stands_beside_the_field_that_asks(admin, organization, values, field, sentence) -> None:
    making.contact()

    answer = admin.post(ADD, FORM | values)

    assert sentence in " ".join(answer.context["adminform"].form.errors[field])
    assert not ScheduledTask.objects.exists()


def test_what_an_app_has_set_stays_when_the_form_is_saved(admin, organization) -> None:
    contact = making.contact()
    changes = {"status": "won", "attributes.score": 5, "attributes.plan": "pro"}
    task = _schedule(contact, payload={"contact_ids": [contact.pk], "changes": changes})
    page = reverse("admin:automations_scheduledtask_change", args=[task.pk])
    shown = {name: str(value or "") for name, value in admin.get(page).context["adminform"].form.initial.items()}
    asked = {name: shown[name] for name in ("contacts", "new_status", "attribute", "attribute_value")}
    assert asked == {
        "contacts": "ada@example.org", "new_status": "won", "attribute": "plan", "attribute_value": "pro",
    }  # fmt: skip

    assert admin.post(page, FORM | asked | {"new_priority": "low"}).status_code == 302

    task.refresh_from_db()
    assert task.payload["changes"] == changes | {"priority": "low"}


def test_the_page_tells_how_it_went_and_runs_it_now(admin, organization) -> None:
    task = _schedule(making.contact(), run_at=clock.now() + timedelta(days=1))
    page = reverse("admin:automations_scheduledtask_change", args=[task.pk])
    assert "It had no turn yet." in admin.get(page).content.decode()

    assert admin.post(reverse("admin:automations_scheduledtask_run", args=[task.pk])).status_code == 302
    scheduled.run(organization.pk)

    told = admin.get(page).content.decode()
    assert "1 contacts" in told
    assert "Switched off" not in told


def test_a_recurrence_is_told_in_words_with_its_next_turns(admin, organization) -> None:
    url = reverse("admin:automations_scheduledtask_turns")
    with clock.freeze(datetime(2026, 11, 21, 12, tzinfo=UTC)):
        values = {"schedule_type": "recurring", "cron": "0 9 * * mon", "timezone": "Europe/Berlin"}
        told = admin.get(url, values).content.decode()
    assert "At 09:00 AM, only on Monday" in told
    for day in ("23 Nov", "30 Nov", "7 Dec", "14 Dec", "21 Dec"):
        assert f"Mon {day} 2026, 09:00" in told
    assert "needs five parts" in admin.get(url, values | {"cron": "x"}).content.decode()
    assert "no time zone" in admin.get(url, values | {"timezone": "Mars"}).content.decode()
    assert "next turns appear here" in admin.get(url, values | {"cron": ""}).content.decode()


def test_another_organisation_processes_nothing_of_ours(stranger_api, organization) -> None:
    task = _schedule(making.contact())

    assert stranger_api.post(f"{URL}process-due/").data["processed"] == 0
    assert stranger_api.get(f"{URL}{task.pk}/").status_code == 404
    with tenancy.organization(organization.pk):
        assert ScheduledTask.objects.get().status == ScheduledStatus.PENDING
