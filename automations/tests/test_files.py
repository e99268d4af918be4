"""Workflows that are carried: canonical bytes, names for numbers, and refusals that name what is missing."""

import json
import os
from typing import Any

import pytest
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.models import Member
from automations import services
from automations.models import Automation, AutomationVersion
from automations.services import drafts, files
from automations.tests import making
from campaigns.models import Campaign
from common.errors import Invalid
from segments.models import Segment

pytestmark = pytest.mark.django_db
URL = "/api/v1/automations/"
CASES = int(os.environ.get("MODEL_CASES", "15"))  # many in `make night`


def _friends() -> Segment:
    return Segment.objects.create(name="Friends", slug="friends", kind="static")


def _rich(owner: Member) -> Automation:
    """A workflow with a reference of each kind that a step may have."""
    friends = _friends()
    in_friends = {"match": "all", "rules": [{"segment": friends.pk, "operator": "in"}]}
    mine = {"field": "assignee", "operator": "equals", "value": owner.pk}
    other = making.automation(making.EXIT, name="Other")
    return making.automation(
        {"action_type": "send_email", "configuration": {"template_id": making.template().pk}},
        making.branch(in_friends, [{"action_type": "assign", "configuration": {"member_id": owner.pk}}], []),
        making.branch(mine, [making.task(assignee_id=owner.pk)], [making.EXIT]),
        trigger_type="segment_entered",
        trigger_configuration={"segment_id": friends.pk, "filter": mine},
        goal_rule=in_friends,
        name=f"After {other}",
    )


def test_names_stand_where_numbers_differ(owner) -> None:
    file = json.loads(files.export(_rich(owner)))

    flow, email = file["flow"], owner.user.email
    assert flow["trigger_configuration"]["segment_id"] == "friends"
    assert flow["trigger_configuration"]["filter"]["value"] == email
    assert flow["goal_rule"]["rules"][0]["segment"] == "friends"
    send, first, second = flow["actions"]
    assert send["configuration"]["template_id"] == "hello"
    assert first["configuration"]["rule"]["rules"][0]["segment"] == "friends"
    assert first["branches"]["then"][0]["configuration"]["member_id"] == email
    assert second["branches"]["then"][0]["configuration"]["assignee_id"] == email


def test_out_and_in_and_out_again_is_the_same_byte_for_byte(admin, owner) -> None:
    source = _rich(owner)
    answer = admin.get(f"{URL}{source.pk}/export/")

    made = admin.post(f"{URL}import/", answer.content, content_type="application/json")

    assert made.status_code == 201
    assert (made.json()["is_active"], made.json()["slug"]) == (False, "after-other-2")
    assert admin.get(f"{URL}{made.json()['id']}/export/").content == answer.content
    assert answer["Content-Disposition"] == 'attachment; filename="after-other.json"'
    assert answer.content.decode() == files.canonical(json.loads(answer.content))


def test_campaigns_of_one_name_are_told_apart(owner) -> None:
    first, second = (Campaign.objects.create(name="Spring") for _ in range(2))
    opened = making.automation(
        making.branch(making.where("assignee", owner.pk), [], []),
        trigger_type="message_engaged",
        trigger_configuration={"what": "opened", "campaign_id": second.pk},
        name="Opened",
    )
    file = json.loads(files.export(opened))

    assert first.pk < second.pk
    assert file["flow"]["trigger_configuration"]["campaign_id"] == "Spring #2"
    assert services.import_file(file).trigger_configuration["campaign_id"] == second.pk


LEAVES = st.sampled_from(
    [
        making.TAG,
        making.EXIT | {"is_active": False},
        making.wait(days=2, hours=1),
        making.task("Päckchen „1“", due_date=3) | {"on_error": "continue"},
        {"action_type": "send_email", "configuration": {"template_id": "T"}},
        {"action_type": "assign", "configuration": {"method": "round_robin", "member_ids": ["M"]}},
    ]
)
RULES = st.sampled_from(
    [
        making.where("city", "Leeds"),
        {"match": "any", "rules": [{"segment": "S", "operator": "in"}, making.where("city", "York")]},
    ]
)
TREES = st.recursive(
    st.lists(LEAVES, max_size=4),
    lambda inner: st.lists(st.one_of(LEAVES, st.builds(making.branch, RULES, inner, inner)), max_size=4),
    max_leaves=12,
)


def _filled(value: Any, numbers: dict[str, int]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(item, numbers) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, numbers) for item in value]
    return numbers.get(value, value) if isinstance(value, str) else value


@settings(max_examples=CASES, deadline=None)
@given(actions=TREES)
def test_any_tree_comes_through_a_file_unchanged(owner, actions) -> None:
    template = making.EmailTemplate.objects.filter(slug="hello").first() or making.template()
    friends = Segment.objects.filter(slug="friends").first() or _friends()
    numbers = {"T": template.pk, "M": owner.pk, "S": friends.pk}
    source = making.automation(*_filled(actions, numbers), name="Any", slug=f"any-{Automation.objects.count()}")
    first = files.export(source)

    made = services.import_file(json.loads(first))

    assert files.export(made) == first
    assert made.current_version.document == source.current_version.document


def test_what_is_missing_here_is_named_and_nothing_is_written(admin, owner) -> None:
    file = json.loads(files.export(_rich(owner)))
    making.EmailTemplate.objects.update(slug="other")
    file["flow"]["actions"][1]["branches"]["then"][0]["configuration"]["member_id"] = 7
    file["flow"]["goal_rule"]["rules"][0]["segment"] = "strangers"

    answer = admin.post(f"{URL}import/", json.dumps(file), content_type="application/json")

    assert answer.status_code == 400
    assert answer.json()["details"] == {
        "goal_rule.rules[0].segment":
            "there is no segment “strangers” here; make it first, or name another in the file",
        "actions[0].configuration.template_id":
            "there is no template “hello” here; make it first, or name another in the file",
        "actions[1].branches.then[0].configuration.member_id":
            "name the colleague: numbers differ between organisations",
    }  # fmt: skip
    assert (Automation.objects.count(), AutomationVersion.objects.count()) == (2, 2)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"kind": "segment"}, "kind"),
        ({"format": 2}, "format"),
        ({"secret": 1}, "secret"),
        ({"name": " "}, "name"),
        ({"weight": "heavy"}, "weight"),
        ({"weight": 7}, "weight"),
        ({"flow": []}, "flow"),
        ({"flow": {"trigger_type": "manual", "goal": {}}}, "flow.goal"),
        ({"flow": {"trigger_type": "manual", "actions": [{"action_type": "wait"}]}}, "actions[0].configuration"),
        ({"holdout_percent": "half"}, "holdout_percent"),
        ({"holdout_percent": 90}, "holdout_percent"),
    ],
)
def test_a_file_that_is_none_is_refused_with_its_place(organization, change, place) -> None:
    file = json.loads(files.export(making.automation(making.TAG))) | change

    with pytest.raises(Invalid) as refused:
        services.import_file(file)

    assert place in refused.value.details
    assert Automation.objects.count() == 1


@pytest.mark.parametrize("file", [None, [], "x", 7, {}, {"kind": "workflow", "format": 1, "flow": {"actions": 3}}])
def test_anything_may_be_uploaded(organization, file) -> None:
    with pytest.raises(Invalid):
        services.import_file(file)

    assert not Automation.objects.exists()


def test_a_number_that_leads_nowhere_any_more_stays_and_is_named_on_the_way_in(organization) -> None:
    template = making.template()
    source = making.automation({"action_type": "send_email", "configuration": {"template_id": template.pk}})
    template_id = template.pk
    making.EmailTemplate.objects.filter(pk=template_id).update(slug="gone")
    assert json.loads(files.export(source))["flow"]["actions"][0]["configuration"] == {"template_id": "gone"}
    AutomationVersion.objects.update(
        document={
            "format": 1, "trigger": {"type": "manual", "configuration": {}}, "entry": {"rule": "once"},
            "steps": [{"id": "a", "type": "send_email", "is_active": True, "configuration": {"template_id": 999}}],
        }
    )  # fmt: skip
    file = json.loads(files.export(Automation.objects.get()))

    with pytest.raises(Invalid, match="name the template"):
        services.import_file(file)

    assert file["flow"]["actions"][0]["configuration"] == {"template_id": 999}


def test_the_draft_is_saved_as_a_file_too(admin, organization) -> None:
    automation = making.automation(making.TAG)
    services.save_draft(automation, {"trigger_type": "manual", "actions": [making.EXIT]})

    saved = admin.get(f"{URL}{automation.pk}/export/?draft=true").json()

    assert saved["flow"] == drafts.EMPTY | {"actions": [making.EXIT]}
    read = admin.post(f"{URL}read-file/", saved, content_type="application/json").json()
    assert read["flow"] == saved["flow"]


def test_a_file_is_brought_on_its_page(admin, owner, tmp_path) -> None:
    page = reverse("admin:automations_automation_import")
    path = tmp_path / "workflow.json"
    path.write_text(files.export(making.automation(making.TAG)), encoding="utf-8")

    assert admin.get(page).status_code == 200
    assert "Choose a file first" in admin.post(page).content.decode()
    with path.open("rb") as file:
        answer = admin.post(page, {"file": file})

    made = Automation.objects.order_by("-pk")[0]
    assert answer["Location"] == reverse("admin:automations_automation_editor", args=[made.pk])
    path.write_text("{", encoding="utf-8")
    with path.open("rb") as file:
        assert "not valid JSON" in admin.post(page, {"file": file}).content.decode()
    assert Automation.objects.count() == 2
