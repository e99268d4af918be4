"""Ids of another organisation in every place of every body: they name nothing, and nothing is written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.hostile.conftest import Attacker, refusal
from tests.hostile.requests import Body
from tests.hostile.snapshot import unchanged
from tests.hostile.town import RULE, Town

Strange = Callable[[Town, Town], tuple[str, str, Body]]


def _workflow(step: str, configuration: Body, **more: Any) -> Body:
    action = {"action_type": step, "action_order": 0, "configuration": configuration}
    return {"name": "New", "trigger_type": "lead_created", "actions": [action], **more}


def _later(task_type: str, payload: Body) -> Body:
    moment = "2090-01-01T00:00:00Z"
    return {"name": "Later", "task_type": task_type, "payload": payload, "run_at": moment}


# place → (home, abroad) → method, path, body
PLACES: dict[str, Strange] = {
    "campaign template": lambda home, abroad: ("post", "campaigns/", {"name": "New", "template_id": abroad.template}),
    "campaign sender": lambda home, abroad: ("post", "campaigns/", {"name": "New", "sender_id": abroad.sender}),
    "campaign topic": lambda home, abroad: ("post", "campaigns/", {"name": "New", "topic_id": abroad.topic}),
    "campaign segments in": lambda home, abroad: (
        "post",
        "campaigns/",
        {"name": "New", "audience": {"include": [home.segment, abroad.segment]}},
    ),
    "campaign segments out": lambda home, abroad: (
        "patch",
        f"campaigns/{home.campaign}/",
        {"audience": {"include": [home.segment], "exclude": [abroad.static_segment]}},
    ),
    "view": lambda home, abroad: ("post", f"campaigns/{home.campaign}/view/", {"contact_id": abroad.contact}),
    "conversion": lambda home, abroad: (
        "post",
        f"campaigns/{home.campaign}/conversion/",
        {"contact_id": abroad.contact, "value": "1.00"},
    ),
    "conversion by user id": lambda home, abroad: (
        "post",
        f"campaigns/{home.campaign}/conversion/",
        {"user_id": "abroad", "value": "1.00"},
    ),
    "preview": lambda home, abroad: (
        "post",
        f"email-templates/{home.template}/preview/",
        {"contact_id": abroad.contact},
    ),
    "test send": lambda home, abroad: (
        "post",
        f"email-templates/{home.template}/test-send/",
        {"contact_id": home.contact, "to": "abroad-colleague@example.com"},
    ),
    "contact's assignee": lambda home, abroad: ("patch", f"contacts/{home.contact}/", {"assignee": abroad.member}),
    "new contact's assignee": lambda home, abroad: ("post", "contacts/", {"name": "New", "assignee": abroad.member}),
    "task's contact": lambda home, abroad: ("post", "tasks/", {"title": "Call", "contact_id": abroad.contact}),
    "task's assignee": lambda home, abroad: ("patch", f"tasks/{home.task}/", {"assignee_id": abroad.member}),
    "trigger segment": lambda home, abroad: (
        "post",
        "automations/",
        {
            "name": "New",
            "trigger_type": "segment_entered",
            "trigger_configuration": {"segment_id": abroad.segment},
            "actions": [],
        },
    ),
    "step template": lambda home, abroad: (
        "post",
        "automations/",
        _workflow("send_email", {"template_id": abroad.template}),
    ),
    "step assignee": lambda home, abroad: (
        "post",
        "automations/",
        _workflow("create_task", {"title": "Call", "assignee_id": abroad.member}),
    ),
    "step member": lambda home, abroad: ("post", "automations/", _workflow("assign", {"member_id": abroad.member})),
    "step members": lambda home, abroad: (
        "post",
        "automations/",
        _workflow("assign", {"method": "round_robin", "member_ids": [home.member, abroad.member]}),
    ),
    "step colleague": lambda home, abroad: (
        "post",
        "automations/",
        _workflow("notify", {"message": "Look", "to": "member", "member_id": abroad.member}),
    ),
    "changed step": lambda home, abroad: (
        "patch",
        f"automations/{home.automation}/",
        {"actions": _workflow("send_email", {"template_id": abroad.template})["actions"]},
    ),
    "scheduled template": lambda home, abroad: (
        "post",
        "automations/scheduled-tasks/",
        _later("send_template", {"template_id": abroad.template, "contact_ids": [home.contact]}),
    ),
    "scheduled contacts": lambda home, abroad: (
        "post",
        "automations/scheduled-tasks/",
        _later("send_template", {"template_id": home.template, "contact_ids": [home.contact, abroad.contact]}),
    ),
    "scheduled workflow": lambda home, abroad: (
        "post",
        "automations/scheduled-tasks/",
        _later("start_automation", {"automation_id": abroad.automation, "contact_ids": [home.contact]}),
    ),
    "scheduled change": lambda home, abroad: (
        "patch",
        f"automations/scheduled-tasks/{home.scheduled_task}/",
        {"payload": {"contact_ids": [abroad.contact], "changes": {"status": "won"}}},
    ),
    "cost's campaign": lambda home, abroad: (
        "post",
        "attribution/costs/",
        {"day": "2026-01-31", "amount_minor": 1, "campaign_id": abroad.campaign},
    ),
    "code's programme": lambda home, abroad: (
        "post",
        "viral/codes/",
        {"program_id": abroad.program, "contact_id": home.contact},
    ),
    "code's contact": lambda home, abroad: (
        "post",
        "viral/codes/",
        {"program_id": home.program, "contact_id": abroad.contact},
    ),
    "invitation's code": lambda home, abroad: (
        "post",
        "viral/referrals/",
        {"code": abroad.code, "emails": ["friend@elsewhere.example"]},
    ),
}


@pytest.mark.parametrize("make", PLACES.values(), ids=list(PLACES))
def test_an_id_of_another_organisation_names_nothing(
    attacker: Attacker, home: Town, abroad: Town, make: Strange
) -> None:
    method, path, body = make(home, abroad)

    with unchanged():
        answer = attacker.ask(method, path, body)

    refusal(answer)
    said = answer.content.decode().replace("abroad-colleague@example.com", "")
    assert "abroad" not in said or body.get("user_id") == "abroad"


def test_contacts_of_another_organisation_are_passed_over_in_sets(
    attacker: Attacker, home: Town, abroad: Town
) -> None:
    """Where many are named at once, unknown ones do not stop the others; these are unknown."""
    with unchanged():
        added = attacker.ask("post", f"segments/{home.static_segment}/leads/", {"lead_ids": [abroad.contact]})
        judged = attacker.ask("post", f"segments/{home.segment}/evaluate/", {"lead_ids": [abroad.contact]})
        started = attacker.ask("post", f"automations/{home.automation}/trigger/", {"contact_ids": [abroad.contact]})

    assert added.json()["changed"] == []
    assert judged.json()["results"] == []
    assert started.status_code >= 400 or started.json()["entered"] == 0


def test_a_rule_finds_nobody_of_another_organisation(attacker: Attacker, home: Town, abroad: Town) -> None:
    everybody = {"match": "any", "rules": [{"field": "name", "operator": "is_set"}, RULE]}

    answer = attacker.ask("post", f"segments/{home.segment}/evaluate/", {"rule": everybody})

    assert [row["id"] for row in answer.json()["sample"]] == [home.contact]
