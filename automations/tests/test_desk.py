from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts import services as accounts
from accounts.domain.roles import Role
from accounts.models import AuditEntry
from audience import services as audience
from audience.models import Event
from automations import days, services
from automations.models import Outcome, Task, TaskNote, TaskStatus
from automations.selectors import desk
from automations.tests import making
from common import clock
from common.errors import Conflict, Invalid

pytestmark = pytest.mark.django_db
DESK = "/desk/"


def _task(owner: Any = None, **values: Any) -> Task:
    return services.create_task({"title": "Call", "assignee_id": owner and owner.pk} | values)


def _ids(board: desk.Board) -> list[int]:
    return [card.task.pk for card in board.cards]


def test_the_most_pressing_task_comes_first_and_every_view_counts_its_own(organization, owner) -> None:
    today = days.today()
    later = _task(owner, due_date=today + timedelta(days=2))
    some_day = _task(owner, priority="urgent")
    late = _task(owner, due_date=today - timedelta(days=1), priority="low")
    now_low = _task(owner, due_date=today, priority="low")
    now_urgent = _task(owner, due_date=today, priority="urgent")
    nobodys = _task()
    _task(owner, status=TaskStatus.DONE)
    services.snooze(_task(owner, due_date=today), today + timedelta(days=1))

    board = desk.board(owner, today, "mine")

    assert _ids(board) == [late.pk, now_urgent.pk, now_low.pk, later.pk, some_day.pk]
    assert board.counts == {"mine": 5, "today": 2, "overdue": 1, "snoozed": 1, "nobody": 1, "all": 6}
    assert _ids(desk.board(owner, today, "nobody")) == [nobodys.pk]
    assert _ids(desk.board(None, today, "mine")) == []


def test_a_snoozed_task_comes_back_on_its_day(organization, owner) -> None:
    task = _task(owner)
    services.snooze(task, days.today() + timedelta(days=3))

    assert _ids(desk.board(owner, days.today() + timedelta(days=2), "mine")) == []
    assert _ids(desk.board(owner, days.today() + timedelta(days=3), "mine")) == [task.pk]


def test_a_desk_asks_as_often_for_forty_tasks_as_for_two(organization, owner) -> None:
    counts = []
    for size in (2, 40):
        for person in making.contacts(size):
            services.add_note(_task(owner, contact_id=person.pk), "Rang twice")
        with CaptureQueriesContext(connection) as queries:
            desk.board(owner, days.today(), "mine")
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_done_is_told_to_workflows_as_an_event_of_the_contact(organization, owner, drain) -> None:
    contact = making.contact()
    task = _task(owner, contact_id=contact.pk, task_type="call")
    listening = making.automation(
        making.TAG,
        trigger_type="event",
        trigger_configuration={
            "name": "task_completed",
            "where": [{"property": "outcome", "operator": "equals", "value": "no_answer"}],
        },
    )

    services.finish(task, Outcome.NO_ANSWER, "Rang out.")
    drain()

    task.refresh_from_db()
    assert (task.status, task.outcome, TaskNote.objects.get().text) == (TaskStatus.DONE, "no_answer", "Rang out.")
    event = Event.objects.get(definition__name="task_completed")
    assert {name: event.properties[name] for name in ("task_id", "task_type", "outcome", "assignee_id")} == {
        "task_id": task.pk,
        "task_type": "call",
        "outcome": "no_answer",
        "assignee_id": owner.pk,
    }
    assert listening.runs.get().contact_id == contact.pk


def test_a_task_is_done_once(organization, owner, drain) -> None:
    task = _task(owner, contact_id=making.contact().pk)
    services.finish(task)

    with pytest.raises(Conflict, match="“Call” is done already"):
        services.finish(task, Outcome.REACHED, "Me too")
    services.update_task(task, {"title": "Call again"})
    drain()

    task.refresh_from_db()
    assert task.outcome == "done"
    assert not TaskNote.objects.exists()
    assert Event.objects.count() == 1


def test_reopened_and_done_again_is_told_again(organization, owner, drain) -> None:
    task = _task(owner, contact_id=making.contact().pk)
    services.finish(task, Outcome.REACHED)

    reopened = services.reopen(task)
    assert (reopened.outcome, reopened.done_at) == ("", None)
    services.finish(task, Outcome.NO_ANSWER)
    drain()

    told = Event.objects.order_by("happened_at").values_list("properties__outcome", flat=True)
    assert list(told) == ["reached", "no_answer"]


@pytest.mark.parametrize(
    "act",
    [
        lambda task, owner: services.snooze(task, days.today()),
        lambda task, owner: services.snooze(task, days.today() + timedelta(days=367)),
        lambda task, owner: services.finish(task, "won"),
        lambda task, owner: services.finish(task, "done", "x" * 5001),
        lambda task, owner: services.reassign(task, 9_999_999),
        lambda task, owner: services.add_note(task, "  "),
        lambda task, owner: services.add_note(task, "a\0b"),
    ],
)
def test_what_is_wrong_is_refused_and_writes_nothing(organization, owner, act) -> None:
    task = _task(owner)
    before = Task.objects.values().get(), AuditEntry.objects.count()

    with pytest.raises(Invalid):
        act(task, owner)

    assert (Task.objects.values().get(), AuditEntry.objects.count()) == before
    assert not TaskNote.objects.exists()


def test_a_task_of_somebody_who_left_can_still_be_finished(organization, owner) -> None:
    gone = accounts.add_member(accounts.ensure_user("gone@example.com"), Role.AGENT)
    task = _task(gone)
    gone.is_active = False
    gone.save()

    assert services.finish(task).status == TaskStatus.DONE


# --- the page -----------------------------------------------------------------------------------------------


def test_the_desk_shows_tasks_and_what_the_contact_did_lately(admin, organization, owner, drain) -> None:
    contact = making.contact(phone="+44 20 7946 0000")
    task = _task(owner, contact_id=contact.pk, due_date=days.today() - timedelta(days=1))
    audience.record([audience.InternalEvent(contact.pk, "cart_abandoned", clock.now(), "m1", {}, 4200, "GBP")])
    drain()

    page = admin.get(DESK).content.decode()

    assert "tel:+44 20 7946 0000" in page
    assert "cart_abandoned" in page and "42.00" in page
    assert f'data-task="{task.pk}"' in page
    assert "overdue since" in page


def test_each_act_is_one_tap_and_says_what_it_did(admin, organization, owner) -> None:
    colleague = accounts.add_member(accounts.ensure_user("ben@example.com", name="Ben"), Role.AGENT)
    task = _task(owner)
    tomorrow = days.today() + timedelta(days=1)

    def tap(name: str, **values: str) -> str:
        answer = admin.post(reverse(f"desk-{name}", args=[task.pk]), {"query": "view=mine"} | values, headers=PART)
        assert answer.status_code == 200
        task.refresh_from_db()
        return answer.content.decode()

    assert "comes back on" in tap("snooze", until=tomorrow.isoformat())
    assert task.snoozed_until == tomorrow
    assert "is back on the desk" in tap("wake")
    assert "Ben&#x27;s now" in tap("reassign", assignee_id=str(colleague.pk))
    assert task.assignee_id == colleague.pk
    assert "stands beside" in tap("note", text="Rang")
    assert "is done: reached them" in tap("done", outcome="reached")
    assert (task.status, task.outcome) == ("done", "reached")
    assert "is done already" in tap("done", outcome="reached")
    assert "is open again" in tap("reopen")
    assert task.status == "open"


PART = {"HX-Request": "true"}


def test_without_script_an_act_leads_back_to_the_desk(admin, organization, owner) -> None:
    task = _task(owner)

    answer = admin.post(reverse("desk-snooze", args=[task.pk]), {"until": "soon", "query": "view=today&by=contact"})

    assert answer.status_code == 302
    assert answer["Location"] == "/desk/?view=today&by=contact"
    assert "Choose a day, such as tomorrow." in admin.get(answer["Location"]).content.decode()
    task.refresh_from_db()
    assert task.snoozed_until is None


def test_tasks_are_grouped_by_contact_and_by_workflow(admin, organization, owner) -> None:
    ada, ben = making.contacts(2)
    for person in (ada, ben, ada):
        _task(owner, contact_id=person.pk)
    _task(owner)

    page = admin.get(f"{DESK}?by=contact")

    assert [(head and head.pk, len(cards)) for head, cards in page.context["groups"]] == [
        (ada.pk, 2),
        (ben.pk, 1),
        (None, 1),
    ]
    assert len(admin.get(f"{DESK}?contact={ada.pk}").context["board"].cards) == 2
    assert "About nobody" in page.content.decode()


def test_strange_questions_show_the_desk(admin, organization, owner) -> None:
    for query in ("view=x", "contact=abc", "contact=99999999999999999999", "by=1", "workflow=-1", "view=%00"):
        assert admin.get(f"{DESK}?{query}").status_code == 200


def test_an_analyst_reads_the_desk_and_changes_nothing(client, organization, owner) -> None:
    analyst = accounts.add_member(accounts.ensure_user("ann@example.com"), Role.ANALYST)
    client.force_login(analyst.user)
    task = _task(owner)

    page = client.get(f"{DESK}?view=all")

    assert page.status_code == 200
    assert "desk-acts" not in page.content.decode()
    assert client.post(reverse("desk-done", args=[task.pk])).status_code == 403
    task.refresh_from_db()
    assert task.status == "open"


# --- the API ------------------------------------------------------------------------------------------------


def test_tasks_are_worked_by_api(api, organization, owner) -> None:
    task = _task(owner, contact_id=making.contact().pk, due_date=date(2026, 1, 1))
    one = f"/api/v1/tasks/{task.pk}/"
    tomorrow = (days.today() + timedelta(days=1)).isoformat()

    assert [row["id"] for row in api.get("/api/v1/tasks/?due=true").data["results"]] == [task.pk]
    assert api.post(f"{one}snooze/", {"until": tomorrow}, format="json").data["snoozed_until"] == tomorrow
    assert api.get("/api/v1/tasks/?due=true").data["results"] == []
    assert [row["id"] for row in api.get("/api/v1/tasks/?snoozed=true&overdue=true").data["results"]] == [task.pk]
    assert api.post(f"{one}reassign/", {"assignee_id": None}, format="json").data["assignee_id"] is None
    assert api.post(f"{one}notes/", {"text": "Rang"}, format="json").status_code == 201
    assert [note["text"] for note in api.get(f"{one}notes/").data] == ["Rang"]
    done = api.post(f"{one}done/", {"outcome": "reached", "note": "Wants a demo"}, format="json")
    assert (done.data["status"], done.data["outcome"]) == ("done", "reached")
    assert api.post(f"{one}done/", {}, format="json").status_code == 409
    assert api.get("/api/v1/tasks/?mine=true").data["details"]["mine"].startswith("a key is no member")
    assert task.notes.count() == 2


def test_a_member_asks_for_their_own_tasks(admin, organization, owner) -> None:
    mine = _task(owner)
    _task()

    assert [row["id"] for row in admin.get("/api/v1/tasks/?mine=true").json()["results"]] == [mine.pk]


def test_another_organisation_works_none_of_our_tasks(stranger_api, organization, owner) -> None:
    task = _task(owner)

    for name, values in (("done", {}), ("snooze", {"until": "2027-01-01"}), ("reassign", {"assignee_id": None})):
        assert stranger_api.post(f"/api/v1/tasks/{task.pk}/{name}/", values, format="json").status_code == 404
    assert stranger_api.post(f"/api/v1/tasks/{task.pk}/notes/", {"text": "x"}, format="json").status_code == 404
    task.refresh_from_db()
    assert (task.status, task.assignee_id) == ("open", owner.pk)
