"""Why somebody went their way is told with what was known when it was decided, whatever changed since."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from audience.models import AttributeDefinition, Contact
from automations import services
from automations.models import AutomationRun, StepRun
from automations.selectors.inspector import inspect
from automations.tests import making
from common import clock
from segments.models import Membership, Segment

pytestmark = pytest.mark.django_db

LEEDS = making.where("city", "Leeds")


def _run(*actions, contact=None, **values) -> AutomationRun:
    automation = making.automation(*actions, **values)
    services.start(automation, [(contact or making.contact(city="Leeds")).pk])
    making.work()
    return AutomationRun.objects.get()


def _why(run: AutomationRun, place: int = 0):
    return inspect(run).moments[place].why


def test_a_branch_keeps_the_fields_it_read_and_no_others(organization) -> None:
    AttributeDefinition.objects.create(name="plan", type="text")
    rule = {
        "match": "all",
        "rules": [LEEDS, making.where("attributes.plan", "pro"), making.where("tags", "vip", "contains")],
    }
    ada = making.contact(city="Leeds", attributes={"plan": "pro", "other": 1}, tags=["vip"])
    run = _run(making.branch(rule, [making.task()], [making.EXIT]), contact=ada)
    kept = {"city": "Leeds", "attributes.plan": "pro", "tags": ["vip"]}
    assert StepRun.objects.get(outcome="branched").detail == {"branch": "then", "facts": kept}

    Contact.objects.filter(pk=ada.pk).update(city="Bath", attributes={"other": 1}, tags=[])

    why = _why(run)
    assert (why.way, why.is_kept, why.agrees) == ("then", True, True)
    assert why.known == [("plan", "“pro”"), ("city", "“Leeds”"), ("tags", "“vip”")]
    [asked] = why.asked
    assert [child.is_true for child in asked.node.children] == [True, True, True]
    assert asked.node.children[0].evidence.text == "City is “Leeds”"


def test_what_was_not_set_then_is_not_set_in_what_is_told(organization, owner) -> None:
    AttributeDefinition.objects.create(name="plan", type="text")
    rule = {"match": "all", "rules": [{"field": "attributes.plan", "operator": "not_set"}]}
    rule["rules"].append({"field": "assignee", "operator": "not_set"})
    ada = making.contact()
    run = _run(making.branch(rule, [], []), contact=ada)
    assert StepRun.objects.get(outcome="branched").detail == {"branch": "then", "facts": {}}

    Contact.objects.filter(pk=ada.pk).update(attributes={"plan": "pro"}, assignee=owner)

    assert [child.is_true for child in _why(run).asked[0].node.children] == [True, True]


def test_a_rule_that_reads_no_field_keeps_nothing_and_is_told_as_of_then(organization) -> None:
    segment = Segment.objects.create(name="VIP", slug="vip")
    ada = making.contact()
    stay = Membership.objects.create(segment=segment, contact=ada, entered_at=clock.now() - timedelta(days=1))
    rule = {"segment": "vip", "operator": "in"}
    run = _run(making.branch(rule, [], []), contact=ada)
    assert StepRun.objects.get(outcome="branched").detail == {"branch": "then"}

    with clock.travel(timedelta(hours=1)):
        stay.left_at = clock.now()
        stay.save()
        why = _why(run)

    assert (why.is_kept, why.asked[0].node.is_true) == (True, True)
    assert why.asked[0].node.evidence.text.startswith("In “VIP” since")


def test_an_older_record_says_that_its_fields_are_todays(organization) -> None:
    run = _run(making.branch(LEEDS, [], []))
    StepRun.objects.filter(outcome="branched").update(detail={"branch": "then"})
    assert (_why(run).is_kept, _why(run).agrees) == (False, True)

    run.contact.city = "Bath"
    run.contact.save()

    assert (_why(run).is_kept, _why(run).agrees) == (False, False)


def test_each_kind_that_decides_says_why(organization) -> None:
    ways = [{"name": "Bath", "rule": making.where("city", "Bath")}, {"name": "Leeds", "rule": LEEDS}]
    bath = making.where("city", "Bath")
    run = _run(
        {
            "action_type": "branch_many",
            "configuration": {"ways": [*ways, {"name": "Never", "rule": LEEDS}]},
            "branches": {"Bath": [], "Leeds": [], "Never": [], "otherwise": []},
        },
        {
            "action_type": "random_split",
            "configuration": {"ways": [{"name": "A", "weight": 3}, {"name": "B", "weight": 0}]},
            "branches": {"A": [], "B": []},
        },
        {
            "action_type": "wait_until",
            "configuration": {"rule": LEEDS, "timeout": {"days": 1}},
            "branches": {"met": [], "timed_out": []},
        },
        {"action_type": "repeat", "configuration": {"until": bath, "most": 1}, "branches": {"body": []}},
        {
            "action_type": "next_best_action",
            "configuration": {"ways": [{"name": "A"}, {"name": "B", "rule": bath}]},
            "branches": {"A": [], "B": [], "otherwise": []},
        },
    )

    told = [moment.why for moment in inspect(run).moments]

    assert [(why.way, [(each.name, each.node.is_true, each.agrees) for each in why.asked]) for why in told] == [
        ("Leeds", [("Bath", False, True), ("Leeds", True, True)]),
        ("A", []),
        ("met", [("", True, True)]),
        ("body", [("", False, True)]),
        ("limit", [("", False, True)]),
        ("A", []),
    ]
    assert [why.told for why in told[:5]] == [
        "The first rule that holds is taken.",
        "Drawn by chance among “A” 100%, “B” 0%; always the same way for this contact.",
        "The rule was met at once.",
        "Turn 1 began.",
        "It had all 1 turns.",
    ]
    assert told[5].told.startswith("“A” reached the goal for 0 of 0; best of 1 draws. Draws: “A” 0.")
    assert told[5].told.endswith("Not open: “B”.")
    assert told[5].known == [("city", "“Leeds”")]


@pytest.mark.parametrize(
    ("field", "outcome", "way"),
    [("goal_rule", "goal", "reached the goal"), ("exit_rule", "exited", "met the exit rule")],
)
def test_who_left_by_a_rule_is_told_what_it_read(admin, organization, field, outcome, way) -> None:
    run = _run(making.task(), **{field: LEEDS})
    assert StepRun.objects.get(outcome=outcome).detail == {"reason": way, "facts": {"city": "Leeds"}}
    run.contact.city = "Bath"
    run.contact.save()

    why = _why(run)

    assert (why.way, why.known, why.asked[0].node.is_true, why.is_kept) == (way, [("city", "“Leeds”")], True, True)
    page = admin.get(reverse("admin:automations_automationrun_change", args=[run.pk])).content.decode()
    assert "Known of this contact then: city <strong>“Leeds”</strong>." in page
    assert "Told as of that moment, with what was known then." in page


def test_too_much_to_keep_is_not_kept(organization) -> None:
    ada = making.contact(tags=[f"tag-{number}-{'x' * 40}" for number in range(60)])
    _run(making.branch(making.where("tags", "vip", "contains"), [], []), contact=ada)
    assert StepRun.objects.get(outcome="branched").detail == {"branch": "otherwise"}
