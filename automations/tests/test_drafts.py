"""A flow while it is written: kept beside what people enter, felt by nobody inside."""

from typing import Any

import pytest
from django.urls import reverse

from accounts import services as accounts
from accounts.domain.roles import Role
from accounts.models import AuditEntry
from automations import services
from automations.models import Automation, AutomationRun, AutomationVersion
from automations.selectors.mending import ToMend, to_mend
from automations.services import drafts
from automations.tests import making
from common.errors import Conflict, Invalid

pytestmark = pytest.mark.django_db

LEEDS = making.where("city", "Leeds")


def _flow(*actions: dict[str, Any], **values: Any) -> dict[str, Any]:
    return {"trigger_type": "manual", "actions": list(actions)} | values


def test_a_draft_is_kept_beside_the_version_that_people_enter(organization) -> None:
    automation = making.automation(making.wait(days=1))
    services.start(automation, [making.contact().pk])
    making.work()

    kept = drafts.save_draft(automation, _flow({"id": "x", "action_type": "send_email"}))

    assert drafts.standing(kept).flow["actions"] == [{"id": "x", "action_type": "send_email"}]
    assert AutomationVersion.objects.count() == 1
    assert kept.current_version.document["steps"][0]["type"] == "wait"


def test_who_was_slower_is_told_and_nothing_is_lost(organization) -> None:
    automation = making.automation(making.task())
    opened = drafts.standing(automation).revision
    first = drafts.save_draft(automation, _flow(making.EXIT), expected_revision=opened)

    with pytest.raises(Conflict) as refused:
        drafts.save_draft(automation, _flow(making.TAG), expected_revision=opened)

    assert refused.value.code == "version_conflict"
    assert Automation.objects.get().draft == first.draft
    again = drafts.standing(first).revision
    assert drafts.save_draft(automation, _flow(making.TAG), expected_revision=again).draft["actions"] == [making.TAG]


def test_a_version_published_meanwhile_is_a_conflict_too(organization) -> None:
    automation = making.automation(making.task())
    opened = drafts.standing(automation).revision
    services.update_automation(automation, {"actions": [making.TAG]})

    with pytest.raises(Conflict):
        drafts.save_draft(automation, _flow(making.EXIT), expected_revision=opened)

    assert Automation.objects.get().draft is None


@pytest.mark.parametrize(
    ("flow", "place"),
    [
        ({"actions": []}, "trigger_type"),
        (_flow(trigger_configuration=[]), "trigger_configuration"),
        (_flow(is_active=True), "is_active"),
        ({"trigger_type": "manual", "actions": {}}, "actions"),
        (_flow({"configuration": {}}), "actions[0].action_type"),
        (_flow({"action_type": "exit", "id": "A B"}), "actions[0].id"),
        (_flow({"action_type": "exit", "configuration": {"x": "y" * 600_000}}), "actions"),
    ],
)
def test_what_is_no_flow_is_refused_with_its_place_and_not_kept(organization, flow, place) -> None:
    automation = making.automation(making.task())

    with pytest.raises(Invalid) as refused:
        drafts.save_draft(automation, flow)

    assert list(refused.value.details) == [place]
    assert Automation.objects.get().draft is None


def test_a_draft_is_thrown_away_and_one_that_was_never_published_is_not(organization) -> None:
    automation = making.automation(making.task())
    drafts.save_draft(automation, _flow(making.EXIT))
    fresh = services.begin(name="Fresh")

    assert drafts.standing(drafts.discard_draft(automation)).has_draft is False
    with pytest.raises(Conflict, match="never published"):
        drafts.discard_draft(fresh)

    assert drafts.standing(Automation.objects.get(pk=fresh.pk)).flow == drafts.EMPTY


def test_publishing_a_draft_takes_away_what_it_leaves_out_and_moves_nobody(admin, organization) -> None:
    automation = making.automation(making.wait(days=1), goal_rule=LEEDS, entry_rule="again")
    services.start(automation, [making.contact().pk])
    making.work()
    drafts.save_draft(automation, _flow(making.EXIT))

    version = services.publish(automation)

    document = version.document
    assert (Automation.objects.get().draft, version.number) == (None, 2)
    assert ("goal" in document, document["entry"]["rule"]) == (False, "once")
    assert AutomationRun.objects.get().version.number == 1
    with pytest.raises(Conflict, match="no draft"):
        services.publish(automation)


def test_a_draft_that_is_wrong_is_not_published(organization) -> None:
    automation = making.automation(making.TAG)
    drafts.save_draft(automation, _flow({"action_type": "wait"}))

    with pytest.raises(Invalid, match="say how long"):
        services.publish(automation)

    assert AutomationVersion.objects.count() == 1
    assert Automation.objects.get().draft is not None


def test_one_sitting_is_one_entry_of_the_audit_log(organization) -> None:
    automation = making.automation(making.task())

    for number in range(3):
        drafts.save_draft(automation, _flow(making.wait(days=number + 1)))

    assert AuditEntry.objects.filter(action="draft", object_id=str(automation.pk)).count() == 1


def test_nobody_enters_what_was_never_published(organization) -> None:
    fresh = services.begin(name="Fresh")

    with pytest.raises(Conflict, match="publish its draft first"):
        services.activate(fresh)

    assert Automation.objects.get().is_active is False


def test_a_second_workflow_of_a_name_gets_a_slug_of_its_own(organization) -> None:
    assert [services.begin(name="Again").slug for _ in range(3)] == ["again", "again-2", "again-3"]


def test_a_sketch_tells_sentences_and_what_is_wrong_and_writes_nothing(organization) -> None:
    draft_template = making.template()
    flow = _flow(
        {"id": "mail", "action_type": "send_email", "configuration": {"template_id": draft_template.pk}},
        {"id": "if", "action_type": "branch", "configuration": {"rule": LEEDS}, "branches": {"then": []}},
        {"id": "nap", "action_type": "wait", "configuration": {}},
        entry_rule="after_days",
        entry_days=30,
        goal_rule=LEEDS,
    )

    told = drafts.sketch(flow)

    assert told["sentences"] == {
        "trigger": "When somebody starts it for a contact",
        "entry": "Again 30 days after they have left",
        "goal": "Contacts where city is “Leeds”",
        "exit": "",
        "steps": {"mail": "Send the e-mail “Hello”", "if": "If city is “Leeds”", "nap": "Wait …"},
    }
    assert set(told["problems"]) == {"actions[1].branches.otherwise", "actions[2].configuration"}
    draft_template.refresh_from_db()
    assert draft_template.published is None


@pytest.mark.parametrize(
    "junk",
    [
        {"trigger_type": []},
        {"trigger_type": "event", "trigger_configuration": {"name": {}, "where": 3}},
        {"entry_rule": {}, "entry_days": "x", "entry_key": []},
        {"entry_rule": "after_days", "entry_days": -1},
        {"goal_rule": "x", "exit_rule": [1]},
        {"goal_rule": {"match": "all", "rules": [{"field": {}, "operator": []}]}},
        {"actions": [None, 3, {"action_type": {}}]},
        {"actions": [{"action_type": "branch", "branches": {"then": [{"action_type": "wait"}], "x": 3}}]},
        {"actions": [{"action_type": "no_such_step", "configuration": {"a": 1}}]},
        {"actions": [{"action_type": "wait", "configuration": {"days": 10**30}}]},
    ],
)
def test_anything_may_be_sketched_and_is_told_to_be_wrong(admin, organization, junk) -> None:
    flow = {"trigger_type": "manual", "actions": []} | junk

    answer = admin.post("/api/v1/automations/sketch/", flow, content_type="application/json")

    assert answer.status_code == 200, answer.content
    assert answer.json()["problems"]


# --- over HTTP -----------------------------------------------------------------------------------------------


def _address(automation: Automation, name: str) -> str:
    return f"/api/v1/automations/{automation.pk}/{name}/"


def test_the_canvas_reads_keeps_and_throws_away(admin, organization) -> None:
    automation = making.automation(making.wait(days=1))
    address = _address(automation, "draft")
    before = admin.get(address).json()

    assert before["has_draft"] is False
    assert before["flow"]["actions"][0] == {
        "id": "wait_1", "action_type": "wait", "is_active": True, "configuration": {"days": 1},
    }  # fmt: skip
    body = {"flow": _flow(making.EXIT), "revision": before["revision"]}
    kept = admin.put(address, body, content_type="application/json")
    assert (kept.status_code, kept.json()["has_draft"]) == (200, True)
    late = admin.put(address, body, content_type="application/json")
    assert (late.status_code, late.json()["code"]) == (409, "version_conflict")
    assert admin.delete(address).json()["has_draft"] is False


def test_the_picture_tells_who_stands_where_in_any_version(admin, organization) -> None:
    automation = making.automation(making.wait(days=1))
    services.start(automation, [making.contact().pk])
    making.work()
    services.update_automation(automation, {"actions": [making.TAG]})
    address = _address(automation, "picture")

    now = admin.get(address).json()
    older = admin.get(f"{address}?version=1&flow=true").json()

    fresh = admin.get(_address(services.begin(name="Fresh"), "picture")).json()

    assert fresh == {"version": None, "entered": 0, "steps": {}}
    assert (now["version"], list(now["steps"])) == (2, ["add_tag_1"])
    assert (older["version"], older["steps"]["wait_1"]["now"]) == (1, 1)
    assert older["sentences"]["steps"] == {"wait_1": "Wait 1 day"}
    assert [admin.get(f"{address}?version={bad}").status_code for bad in ("9", "x", "²", "")] == [404] * 4


def test_who_may_only_look_sees_the_picture_and_changes_no_draft(client, organization) -> None:
    agent = accounts.add_member(accounts.ensure_user("agent@acme.example"), Role.AGENT)
    automation = making.automation(making.task())
    client.force_login(agent.user)

    page = client.get(reverse("admin:automations_automation_change", args=[automation.pk])).content.decode()
    assert "<workflow-canvas readonly" in page
    assert "Edit the workflow" not in page
    editor = client.get(reverse("admin:automations_automation_editor", args=[automation.pk]))
    assert editor.status_code == 302
    body = {"flow": _flow(making.EXIT)}
    answer = client.put(_address(automation, "draft"), body, content_type="application/json")
    assert answer.status_code == 403
    assert client.post("/api/v1/automations/sketch/", _flow(), content_type="application/json").status_code == 200
    assert Automation.objects.get().draft is None


def test_the_editor_opens_the_draft_with_the_catalogue(admin, organization) -> None:
    automation = making.automation(making.task())
    drafts.save_draft(automation, _flow(making.EXIT))

    page = admin.get(reverse("admin:automations_automation_editor", args=[automation.pk]))

    assert page.context["page"]["flow"] == drafts.EMPTY | _flow(making.EXIT)
    assert "send_email" in {kind["type"] for kind in page.context["page"]["catalogue"]["steps"]}
    assert 'id="rule-language"' in page.content.decode()


def test_faults_are_told_by_card_and_field() -> None:
    flow = _flow(
        {"action_type": "branch", "branches": {"then": [{"action_type": "create_task"}, {"action_type": "fly"}]}},
        trigger_type="event",
    )
    problems = {
        "actions[0].branches.then[0].configuration.title": "is missing",
        "actions[0].branches.then[1].action_type": "unknown step",
        "trigger_configuration.name": "is missing",
        "goal_rule.rules[0]": "a value is missing",
    }

    assert to_mend(flow, problems) == [
        ToMend("create_task_1", "Create task", "Title: is missing"),
        ToMend("fly_1", "fly", "unknown step"),
        ToMend("trigger", "Starts", "Event: is missing"),
        ToMend("goal", "Goal", "a value is missing"),
    ]


def test_a_draft_is_published_on_its_page_and_a_wrong_one_is_told_there(admin, organization) -> None:
    fresh = services.begin(name="Fresh", flow=_flow({"action_type": "wait"}))
    page = reverse("automation-publish", args=[fresh.pk])

    refused = admin.post(page)
    assert refused.status_code == 400
    [fault] = refused.context["to_mend"]
    assert (fault.card, fault.title) == ("wait_1", "Wait")
    editor = f"{reverse('admin:automations_automation_editor', args=[fresh.pk])}?card=wait_1"
    assert f'href="{editor}"' in refused.content.decode()
    assert admin.get(editor).context["page"]["choose"] == "wait_1"
    assert AutomationVersion.objects.count() == 0
    drafts.save_draft(fresh, _flow(making.EXIT))
    assert "It is the first version." in admin.get(page).content.decode()
    answer = admin.post(page, follow=True)
    published, sidebar = answer.content.decode(), answer.context["sidebar_navigation"]
    assert "Version 1 is published; new people enter it once it is on." in published
    assert f'href="{reverse("admin:automations_automation_switch", args=[fresh.pk])}">Switch on' in published
    assert [item["title"] for group in sidebar for item in group["items"] if item["active"]] == ["Automations"]

    fresh.refresh_from_db()
    assert (fresh.current_version.number, fresh.draft, fresh.is_active) == (1, None, False)
