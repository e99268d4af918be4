"""What apps and pages are told of every kind of trigger and step."""

from typing import Any

import pytest
from django.urls import reverse

from automations import catalogue, configuration
from automations.api.catalogue import FIELD_TYPES
from automations.steps import STEPS
from automations.tests import making
from automations.triggers import TRIGGERS
from experiments import services as experiments

pytestmark = pytest.mark.django_db


def _kinds() -> list[tuple[Any, dict[str, Any]]]:
    told = catalogue.describe()
    return [(TRIGGERS[kind["type"]], kind) for kind in told["triggers"]] + [
        (STEPS[kind["type"]], kind) for kind in told["steps"]
    ]


def test_every_kind_is_told_with_a_title_for_each_field_and_an_example_that_can_be_read(organization) -> None:
    for kind, told in _kinds():
        assert told["group"], told["type"]
        assert told["doc"].endswith("."), told["type"]
        configuration.read(kind.configuration, told["example"])
        for field in [*told["fields"], *(inner for outer in told["fields"] for inner in outer["fields"])]:
            assert field["type"] in FIELD_TYPES, (told["type"], field)
            assert field["label"][0].isupper(), (told["type"], field)
        for field in told["fields"]:
            assert not field["required"] or field["name"] in {"", *told["example"]}, (told["type"], field["name"])


def test_fields_say_what_can_be_chosen(organization, owner) -> None:
    mail, note = making.template(), making.template(slug="note", channel="slack", html="", fields={"text": "x"})
    experiments.create_experiment({"name": "Paths"}, [experiments.ArmDraft("short"), experiments.ArmDraft("long")])
    found = {told["type"]: told for _, told in _kinds()}

    template = found["send_email"]["fields"][0]
    assert (template["name"], template["type"], template["required"]) == ("template_id", "template", True)
    assert template["choices"] == [{"value": mail.pk, "label": "Hello", "channel": "email"}]
    assert [one["value"] for one in found["send_slack"]["fields"][0]["choices"]] == [note.pk]
    assert found["send_sms"]["fields"][0]["choices"] == []
    assert found["notify"]["fields"][2]["choices"] == [{"value": owner.pk, "label": "Olga Owner"}]
    assert found["experiment"]["fields"][0]["choices"] == [
        {"value": "paths", "label": "Paths", "branches": ["short", "long"]}
    ]
    assert found["experiment"]["branches"] == {"kind": "named", "names": [], "labels": {}, "from": "experiment"}
    assert found["branch"]["branches"]["names"] == ["then", "otherwise"]


def test_a_span_is_one_field_that_lies_flat(organization) -> None:
    wait = next(told for _, told in _kinds() if told["type"] == "wait")

    assert [(field["name"], field["type"], field["required"]) for field in wait["fields"]] == [("", "span", True)]


def test_the_api_tells_the_catalogue(api, organization) -> None:
    answer = api.get("/api/v1/automations/catalog")

    assert answer.status_code == 200
    assert answer.json() == catalogue.describe()


def test_the_page_shows_every_kind_and_the_list_leads_there(admin) -> None:
    page = admin.get(reverse("admin:automations_automation_catalogue"))

    assert page.status_code == 200
    for name in [*TRIGGERS, *STEPS]:
        assert f"<code>{name}</code>" in page.content.decode()
    assert (
        reverse("admin:automations_automation_catalogue")
        in admin.get(reverse("admin:automations_automation_changelist")).content.decode()
    )
