from datetime import date
from typing import Any

import msgspec
import pytest

from accounts.models import AuditEntry
from audience import services as audience
from automations.models import Automation, AutomationAction, AutomationRun, AutomationVersion, Task
from automations.tests import making
from campaigns.models import EmailTemplate
from delivery.models import Message

pytestmark = pytest.mark.django_db
URL = "/api/v1/automations/"

AS_IT_STANDS = """{"name": "Welcome", "slug": "welcome", "trigger_type": "lead_created", "trigger_configuration": {},
"is_active": true, "run_immediately": true, "actions": [{"action_type": "send_email", "action_order": 0,
"is_active": true, "configuration": {"template_id": 1, "subject": "Welcome", "personalize": true}},
{"action_type": "create_task", "action_order": 1, "is_active": true, "configuration": {"task_type": "follow_up",
"title": "Follow up", "due_date": "2027-01-31", "assignee_id": 1}}]}"""


@pytest.fixture
def first(owner) -> Any:
    """Template 1 and member 1, as the document names them."""
    from accounts.models import Member

    Member.objects.filter(pk=owner.pk).update(id=1)
    return making.template(id=1)


def _post(api: Any, document: Any) -> Any:
    body = document if isinstance(document, str) else msgspec.json.encode(document)
    return api.post(URL, body, content_type="application/json")


def _flow(*actions: dict[str, Any], **values: Any) -> dict[str, Any]:
    return {"name": "Flow", "trigger_type": "manual", "is_active": True, "actions": list(actions)} | values


def test_the_document_works_as_it_stands(api, first, drain) -> None:
    answer = _post(api, AS_IT_STANDS)
    assert answer.status_code == 201, answer.data

    contact = audience.create_contact(name="Ada", email="ada@example.org")
    drain()

    message = Message.objects.get()
    assert (message.contact_id, message.content.subject, message.source_type) == (contact.pk, "Welcome", "automation")
    task = Task.objects.get()
    assert (task.title, task.task_type, task.due_date) == ("Follow up", "follow_up", date(2027, 1, 31))
    assert (task.contact_id, task.assignee_id) == (contact.pk, 1)
    assert AutomationRun.objects.get().status == "completed"


def test_an_answer_can_be_sent_back_as_it_is(api, first) -> None:
    answer = _post(api, AS_IT_STANDS)
    sent = msgspec.json.decode(AS_IT_STANDS)
    assert {key: answer.data[key] for key in sent if key != "actions"} == {
        key: value for key, value in sent.items() if key != "actions"
    }
    assert [
        {key: value for key, value in action.items() if key != "id"} for action in answer.data["actions"]
    ] == sent["actions"]

    again = api.put(f"{URL}{answer.data['id']}/", answer.data, format="json")

    assert again.status_code == 200, again.data
    assert again.data["version"] == 1
    assert AutomationVersion.objects.count() == 1
    assert list(AutomationAction.objects.order_by("path").values_list("step_id", "path")) == [
        ("send_email_1", "0"),
        ("create_task_1", "1"),
    ]


def test_every_problem_is_told_with_its_place_and_nothing_is_written(api, owner) -> None:
    answer = _post(api, AS_IT_STANDS.replace('"assignee_id": 1', '"assignee_id": 9999999'))

    assert answer.status_code == 400
    assert answer.data["code"] == "invalid_automation"
    assert answer.data["details"] == {
        "actions[0].configuration.template_id": "there is no template 1",
        "actions[1].configuration.assignee_id": "there is no active member 9999999",
    }
    assert answer.data["message"] == "actions[0].configuration.template_id: there is no template 1"
    assert not Automation.objects.exists()
    assert not AutomationVersion.objects.exists()
    assert not AuditEntry.objects.filter(object_type="automations.automation").exists()


def test_a_refused_change_leaves_everything_as_it_was(api, organization) -> None:
    automation = making.automation(making.task())
    EmailTemplate.objects.all().delete()

    answer = api.patch(
        f"{URL}{automation.pk}/", {"name": "Other", "actions": [{"action_type": "fly"}]}, format="json"
    )

    assert answer.status_code == 400
    assert answer.data["details"]["actions[0].action_type"].startswith('unknown step "fly"; known: add_tag, ')
    automation.refresh_from_db()
    assert automation.name == "Welcome"
    assert AutomationVersion.objects.count() == 1


@pytest.mark.parametrize(
    ("document", "place", "sentence"),
    [
        (_flow(name="", trigger_type="manual"), "name", "may not be blank"),
        (_flow(trigger_type="never"), "trigger_type", "not a valid choice"),
        ({"name": "x", "actions": []}, "trigger_type", "required"),
        (_flow(colour="red"), "colour", "There is no such field"),
        (_flow(trigger_configuration=[]), "trigger_configuration", "must be an object"),
        (_flow(actions={}), "actions", "must be a list of steps"),
        (_flow("x"), "actions[0]", "must be an object"),
        (_flow({"action_type": "exit", "action_order": "1"}), "actions[0].action_order", "whole number"),
        (
            _flow({"action_type": "exit", "action_order": 1}, {"action_type": "exit", "action_order": 1}),
            "actions[1].action_order",
            "1 is used twice",
        ),
        (_flow({"action_type": "exit", "is_active": "yes"}), "actions[0].is_active", "true or false"),
        (_flow({"action_type": "exit", "id": "A b"}), "actions[0].id", "must be 1 to 60"),
        (
            _flow({"action_type": "exit", "id": "a"}, {"action_type": "exit", "id": "a"}),
            "actions[1].id",
            '"a" names two steps',
        ),
        (_flow({"action_type": "exit", "goto": 3}), "actions[0].goto", "unknown field"),
        (_flow({"action_type": "exit", "branches": {"then": []}}), "actions[0].branches.then", "has no such branch"),
        (
            _flow(making.branch(making.where("city", "x"), [], [])) | {},
            "",
            "",
        ),
        (
            _flow({"action_type": "branch", "configuration": {"rule": making.where("city", "x")}}),
            "actions[0].branches.otherwise",
            "is missing",
        ),
        (
            _flow(making.branch(making.where("city", "x"), [{"action_type": "wait"}], [])),
            "actions[0].branches.then[0].configuration",
            "say how long to wait",
        ),
    ],
)
def test_shapes_are_checked_with_their_place(api, organization, document, place, sentence) -> None:
    answer = _post(api, document)

    if not place:
        assert answer.status_code == 201
        return
    assert answer.status_code == 400
    assert sentence in answer.data["details"][place], answer.data
    assert not Automation.objects.exists()


def test_deep_nesting_is_refused(api, organization) -> None:
    step: dict[str, Any] = making.EXIT
    for _ in range(8):
        step = making.branch(making.where("city", "x"), [step], [])

    answer = _post(api, _flow(step))

    assert answer.status_code == 400
    assert "deeper than" in answer.data["message"]


def test_the_seven_endpoints(api, organization) -> None:
    made = _post(api, _flow(making.task())).data
    one = f"{URL}{made['id']}/"
    contact = audience.create_contact(name="Ada", user_id="u-1")

    assert [row["id"] for row in api.get(URL).data["results"]] == [made["id"]]
    assert api.get(one).data["slug"] == "flow"
    assert api.get(one.rstrip("/")).status_code == 200
    assert api.patch(one, {"description": "x"}, format="json").data["version"] == 1
    started = api.post(f"{one}trigger/", {"user_ids": ["u-1"]}, format="json")
    assert started.status_code == 202
    assert started.data == {"entered": 1, "not_entered": 0, "run_ids": [AutomationRun.objects.get().pk]}
    again = api.post(f"{one}trigger/", {"contact_ids": [contact.pk]}, format="json")
    assert again.data == {"entered": 0, "not_entered": 1, "run_ids": []}
    making.work()
    runs = api.get(f"{one}runs/").data["results"]
    assert [(run["contact_id"], run["status"], run["version"]) for run in runs] == [(contact.pk, "completed", 1)]
    assert api.get(f"{one}runs/?status=failed").data["results"] == []
    assert api.get(f"{one}runs/?status=lost").status_code == 400
    assert api.delete(one).status_code == 204
    assert api.get(one).status_code == 404
    assert not AutomationRun.objects.exists()


def test_starting_unknown_contacts_starts_nobody(api, organization) -> None:
    automation = making.automation(making.task())
    contact = making.contact()
    url = f"{URL}{automation.pk}/trigger/"

    assert api.post(url, {"contact_ids": [contact.pk, 9_999_999]}, format="json").status_code == 400
    assert api.post(url, {"user_ids": ["nobody"]}, format="json").data["details"] == {
        "user_ids": "there is no contact nobody"
    }
    assert api.post(url, {}, format="json").status_code == 400
    assert not AutomationRun.objects.exists()


def test_a_workflow_that_is_off_cannot_be_started(api, organization) -> None:
    automation = making.automation(making.task(), is_active=False)

    answer = api.post(f"{URL}{automation.pk}/trigger/", {"contact_ids": [making.contact().pk]}, format="json")

    assert answer.status_code == 409
    assert answer.data["code"] == "inactive"
    assert not AutomationRun.objects.exists()


def test_a_slug_is_used_once(api, organization) -> None:
    assert _post(api, _flow(slug="same")).status_code == 201
    answer = _post(api, _flow(slug="same"))
    assert answer.status_code == 409
    assert answer.data["details"] == {"slug": 'There is already an automation with the slug "same".'}
    assert Automation.objects.count() == 1


def test_another_organisation_finds_nothing(api, stranger_api, organization) -> None:
    automation = making.automation(making.task())
    one = f"{URL}{automation.pk}/"

    assert stranger_api.get(URL).data["results"] == []
    for call in (stranger_api.get, stranger_api.delete):
        assert call(one).status_code == 404
    assert stranger_api.patch(one, {"name": "x"}, format="json").status_code == 404
    assert stranger_api.post(f"{one}trigger/", {"contact_ids": [1]}, format="json").status_code == 404
    assert stranger_api.get(f"{one}runs/").status_code == 404


def test_templates_answer_here_too(api, organization) -> None:
    values = {"name": "Hi", "subject": "Hi", "html": "<p>Hi</p>"}

    made = api.post(f"{URL}email-templates/", values, format="json")

    assert made.status_code == 201, made.data
    assert api.get(f"{URL}email-templates/{made.data['id']}/").data["name"] == "Hi"
    assert (
        _post(
            api, _flow({"action_type": "send_email", "configuration": {"template_id": made.data["id"]}})
        ).status_code
        == 201
    )


def test_a_repeated_request_with_a_key_is_done_once(api, organization) -> None:
    headers = {"HTTP_IDEMPOTENCY_KEY": "k1"}
    body = msgspec.json.encode(_flow(making.task()))

    first = api.post(URL, body, content_type="application/json", **headers)
    second = api.post(URL, body, content_type="application/json", **headers)

    assert first.data["id"] == second.data["id"]
    assert Automation.objects.count() == 1


def test_tasks_are_written_worked_and_found(api, owner) -> None:
    contact = making.contact()
    made = api.post(
        "/api/v1/tasks/",
        {"title": "Call", "contact_id": contact.pk, "assignee_id": owner.pk, "due_date": "2027-01-31"},
        format="json",
    )
    assert made.status_code == 201, made.data
    one = f"/api/v1/tasks/{made.data['id']}/"

    done = api.patch(one, {"status": "done"}, format="json").data

    assert done["done_at"] is not None
    assert api.patch(one, {"status": "open"}, format="json").data["done_at"] is None
    assert [row["id"] for row in api.get(f"/api/v1/tasks/?assignee_id={owner.pk}&status=open").data["results"]] == [
        made.data["id"]
    ]
    assert api.get("/api/v1/tasks/?due_before=2027-01-31").data["results"] == []
    refused = api.post("/api/v1/tasks/", {"title": "x", "assignee_id": 9_999_999}, format="json")
    assert refused.data["details"] == {"assignee_id": "there is no active member 9999999"}
    assert Task.objects.count() == 1
    assert api.delete(one).status_code == 204
