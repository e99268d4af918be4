from datetime import UTC, datetime, timedelta

import pytest

from automations import recurrence, services
from automations.models import AutomationRun, ScheduledStatus, ScheduledTask
from automations.services import scheduled
from automations.tests import making
from common import clock, tenancy
from common.errors import Invalid
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


def test_another_organisation_processes_nothing_of_ours(stranger_api, organization) -> None:
    task = _schedule(making.contact())

    assert stranger_api.post(f"{URL}process-due/").data["processed"] == 0
    assert stranger_api.get(f"{URL}{task.pk}/").status_code == 404
    with tenancy.organization(organization.pk):
        assert ScheduledTask.objects.get().status == ScheduledStatus.PENDING
