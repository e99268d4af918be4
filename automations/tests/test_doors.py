"""Webhooks and forms: what comes in from outside becomes an event, a contact and a start, and nothing else does."""

from typing import Any

import pytest
from django.test import Client

from audience import services as audience
from audience.models import AttributeDefinition, Contact, Event, Identity, IngestBatch
from automations import doors, services
from automations.models import Automation, AutomationRun
from automations.tests import making
from common.errors import Invalid

pytestmark = pytest.mark.django_db

EMAIL = {"name": "email", "label": "E-mail", "kind": "email", "required": True}
FORM = {
    "key": "news",
    "title": "Get <our> news",
    "questions": [EMAIL, {"name": "company", "label": "Company"}],
    "thanks": "See you soon.",
}
HOOK = {"key": "leads", "email": "customer.email"}


def _workflow(kind: str, configuration: dict[str, Any]) -> Automation:
    return making.automation(making.task(), trigger_type=kind, trigger_configuration=configuration)


def _path(kind: str, key: str) -> str:
    return "/" + doors.address(kind, key).split("/", 3)[3]


def _post(path: str, body: Any, **headers: str) -> Any:
    return Client(enforce_csrf_checks=True).post(path, body, content_type="application/json", headers=headers)


def test_a_call_makes_the_contact_and_starts_the_workflow_once(organization, drain) -> None:
    _workflow("webhook", HOOK)
    path = _path("webhook", "leads")
    body = {"customer": {"email": "ada@example.org"}, "total": 120}

    answers = [_post(path, body) for _ in range(2)]
    drain()

    assert [answer.status_code for answer in answers] == [202, 202]
    contact = Contact.objects.get(email="ada@example.org")
    told = Event.objects.get(contact_id=contact.pk)
    assert told.properties["webhook"] == "leads"
    assert told.properties["total"] == 120
    assert AutomationRun.objects.get().contact == contact
    assert contact.tasks.count() == 1


def test_calls_are_told_apart_by_the_key_that_names_them(organization, drain) -> None:
    _workflow("webhook", HOOK)
    path, body = _path("webhook", "leads"), {"customer": {"email": "ada@example.org"}}

    for name in ("a", "b", "b"):
        _post(path, body, **{"Idempotency-Key": name})
    drain()

    assert Event.objects.count() == 2


@pytest.mark.parametrize(
    ("body", "status", "sentence"),
    [
        ("{", 400, "The body is not JSON."),
        ("[1]", 400, "The body must be a JSON object."),
        ('{"customer": "ada"}', 400, "The body names no contact."),
        ('{"customer": {"email": "a@b.example"}, "x": "' + "y" * 40_000 + '"}', 413, "A call may hold 30 KB"),
    ],
)
def test_a_call_that_cannot_be_used_is_refused_and_writes_nothing(organization, body, status, sentence) -> None:
    _workflow("webhook", HOOK)

    answer = _post(_path("webhook", "leads"), body)

    assert answer.status_code == status
    assert answer.json()["message"].startswith(sentence)
    assert not IngestBatch.objects.exists()


def test_an_address_that_was_guessed_or_whose_workflow_is_gone_is_none(organization) -> None:
    automation = _workflow("webhook", HOOK)
    path = _path("webhook", "leads")
    services.delete_automation(automation)

    assert _post(path, {"email": "a@example.org"}).status_code == 404
    assert _post("/webhooks/workflows/1-leads.guess/", {"email": "a@example.org"}).status_code == 404
    assert Client().get(path).status_code == 405
    assert not IngestBatch.objects.exists()


def test_a_flood_is_asked_to_wait(organization, monkeypatch) -> None:
    monkeypatch.setitem(doors.MOST_PER_MINUTE, "webhook", 2)
    _workflow("webhook", HOOK)

    answers = [_post(_path("webhook", "leads"), {"email": "a@example.org", "n": number}) for number in range(4)]

    assert answers[-1].status_code == 429
    assert answers[-1]["Retry-After"] == "60"


def test_a_form_asks_takes_and_thanks(organization, drain) -> None:
    _workflow("form", FORM)
    path, client = _path("form", "news"), Client(enforce_csrf_checks=True)

    page = client.get(path)
    assert page.status_code == 200
    assert "Get &lt;our&gt; news" in page.content.decode()
    assert "script" not in page["Content-Security-Policy"]
    sent = {"email": "ada@example.org", "company": "Acme", "sent": "one", "other": "x"}
    answers = [client.post(path, sent) for _ in range(2)]
    drain()

    assert "See you soon." in answers[1].content.decode()
    contact = Contact.objects.get(email="ada@example.org")
    assert contact.attributes == {"company": "Acme"}
    told = Event.objects.get(contact_id=contact.pk)
    assert {key: told.properties[key] for key in ("form", "company", "email")} == {
        "form": "news", "company": "Acme", "email": "ada@example.org",
    }  # fmt: skip
    assert "other" not in told.properties
    assert contact.tasks.count() == 1


def test_a_form_changes_nothing_of_somebody_who_is_there(organization, drain) -> None:
    questions = [EMAIL, {"name": "name", "label": "Name"}, {"name": "phone", "label": "Phone"}]
    questions.append({"name": "company", "label": "Company"})
    _workflow("form", FORM | {"questions": questions})
    ada = audience.create_contact(email="ada@example.org", name="Ada", attributes={"company": "Acme"})
    before = Contact.objects.filter(pk=ada.pk).values().get()

    sent = {"email": " ADA@example.org", "name": "Eve", "phone": "+44 7700 900123", "company": "Evil", "sent": "one"}
    page = Client().post(_path("form", "news"), sent)
    drain()

    assert "See you soon." in page.content.decode()
    after = Contact.objects.filter(pk=ada.pk).values().get()
    moving = {"last_seen_at", "updated_at"}
    assert {name: value for name, value in after.items() if name not in moving} == {
        name: value for name, value in before.items() if name not in moving
    }
    assert list(Identity.objects.filter(contact=ada).values_list("kind", "value")) == [("email", "ada@example.org")]
    # … who enters, and what was said is told as what happened.
    assert AutomationRun.objects.get().contact == ada
    assert Event.objects.get(contact_id=ada.pk).properties["name"] == "Eve"


def test_a_form_cannot_ask_who_somebody_is(organization) -> None:
    with pytest.raises(Invalid, match="no word of ours"):
        _workflow("form", FORM | {"questions": [EMAIL, {"name": "user_id", "label": "Your id"}]})


def test_a_value_that_a_field_cannot_have_is_told_beside_its_question(organization) -> None:
    AttributeDefinition.objects.create(name="seats", type="number")
    _workflow("form", FORM | {"questions": [EMAIL, {"name": "seats", "label": "Seats"}]})

    page = Client().post(_path("form", "news"), {"email": "ada@example.org", "seats": "many"})

    assert page.status_code == 400
    assert 'id="w-seats"' in page.content.decode()
    assert not Contact.objects.exists()
    assert not IngestBatch.objects.exists()


def test_answers_that_are_missing_are_told_beside_the_question_and_nothing_is_written(organization) -> None:
    _workflow("form", FORM)

    page = Client().post(_path("form", "news"), {"email": "ada at example", "company": "<b>Acme</b>"})

    assert page.status_code == 400
    assert "This is not an e-mail address." in page.content.decode()
    assert "&lt;b&gt;Acme&lt;/b&gt;" in page.content.decode()
    assert not IngestBatch.objects.exists()


def test_a_robot_that_fills_in_everything_is_thanked_and_not_heard(organization) -> None:
    _workflow("form", FORM)

    page = Client().post(_path("form", "news"), {"email": "bot@example.org", "website": "https://example.org"})

    assert "See you soon." in page.content.decode()
    assert not IngestBatch.objects.exists()


def test_a_form_whose_workflow_is_off_is_not_there(organization) -> None:
    services.deactivate(_workflow("form", FORM))

    assert Client().get(_path("form", "news")).status_code == 404


def test_the_page_of_the_workflow_shows_the_address(admin, organization) -> None:
    automation = _workflow("form", FORM)

    page = admin.get(f"/admin/automations/automation/{automation.pk}/change/").content.decode()

    assert doors.address("form", "news") in page
