"""Why somebody is in a segment or is not: condition by condition, from the one compiler."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts import actor
from accounts.models import Organization
from audience.models import Consent, Contact
from common import clock
from segments import rules, selectors, services
from segments.insight import explanation
from segments.models import Membership, Segment
from segments.rules import explain as explaining
from segments.rules.behaviours import BEHAVIOURS
from segments.rules.explain import Node
from segments.tests import people
from segments.tests.people import DAY, NOON, city, did, everyone, on

Drain = Callable[[], int]


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    with clock.freeze(NOON):
        yield


def why(segment: Segment, contact: Contact) -> explanation.Explanation:
    segment.refresh_from_db()
    return explanation.explain(segment, contact)


def tree(rule: Any, contact: Contact) -> Node:
    found = explaining.explain(rules.parse(rule), contact.pk, NOON)
    assert found is not None
    return found


def outline(node: Node) -> list[tuple[str, bool]]:
    return [(node.path, node.is_true), *(line for child in node.children for line in outline(child))]


def test_every_node_has_its_place_its_words_and_its_verdict(organization: Organization) -> None:
    ada = people.contact(name="Ada", city="York", tags=["staff"])
    rule = everyone(
        city("Leeds"),
        {"match": "any", "rules": [city("York"), on("status", "equals", "gone")]},
        {"match": "none", "rules": [on("tags", "contains", "staff")]},
    )

    node = tree(rule, ada)

    assert outline(node) == [
        ("rule", False),
        ("rules[0]", False),
        ("rules[1]", True),
        ("rules[1].rules[0]", True),
        ("rules[1].rules[1]", False),
        ("rules[2]", False),
        ("rules[2].rules[0]", True),
    ]
    assert [child.words for child in node.children] == [
        "city is “Leeds”",
        "At least one of these is true",
        "None of these is true",
    ]
    assert node.children[0].evidence is not None
    assert (node.children[0].evidence.text, node.children[0].evidence.value) == ("City is “York”", "York")


def test_a_field_that_is_not_set_is_told_so(organization: Organization) -> None:
    people.attribute("plan", "text")
    node = tree(on("attributes.plan", "equals", "pro"), people.contact())

    assert node.evidence is not None
    assert (node.is_true, node.evidence.text, node.evidence.value) == (False, "Plan is not set", None)


def test_the_events_that_decided_are_shown_and_when_it_flips(organization: Organization) -> None:
    people.definition("order_completed", total="number")
    ada = people.contact()
    for days in (1, 5, 40, 50, 60, 70):
        people.event(ada, "order_completed", NOON - days * DAY, total=80)
    people.event(ada, "order_completed", NOON - 2 * DAY, total=10)
    big = {"property": "total", "operator": "greater", "value": 50}

    node = tree(did("order_completed", 2, 30, big), ada)

    assert node.is_true
    assert node.flips_at == NOON + 25 * DAY
    assert node.evidence is not None
    assert node.evidence.text == "order_completed happened 6 times with these properties, twice in this window"
    assert [(event.happened_at, event.is_inside) for event in node.evidence.events] == [
        (NOON - 1 * DAY, True),
        (NOON - 5 * DAY, True),
        (NOON - 40 * DAY, False),
        (NOON - 50 * DAY, False),
        (NOON - 60 * DAY, False),
    ]
    assert node.evidence.events[0].properties == {"total": 80}


def test_an_event_nobody_ever_sent_is_explained_too(organization: Organization) -> None:
    node = tree(did("never_heard_of", operator="did_not"), people.contact())

    assert node.evidence is not None
    assert (node.is_true, node.evidence.text) == (True, "never_heard_of never happened")


def test_other_conditions_show_what_decided_them(organization: Organization, drain: Drain) -> None:
    people.attribute("latitude", "number")
    people.attribute("longitude", "number")
    ada = people.contact(attributes={"latitude": 53.8, "longitude": -1.55})
    vips = services.create_segment(name="VIPs")
    services.add_contacts(vips, [ada.pk])
    Consent.objects.create(contact=ada, channel="email", state="granted", how="form", happened_at=NOON - DAY)
    salt = next(f"draw {number}" for number in count() if bucket_of(f"draw {number}", ada) == 7)
    rule = {
        "match": "at_least",
        "count": 3,
        "rules": [
            {"segment": vips.pk, "operator": "in"},
            {"consent": "email", "operator": "granted"},
            {"bucket": {"salt": salt, "from": 7, "to": 7}},
            {"near": {"latitude": 53.4808, "longitude": -2.2426, "kilometers": 50}, "operator": "within"},
        ],
    }

    node = tree(rule, ada)

    assert (node.words, node.is_true) == ("At least 3 of these are true", True)
    assert [(child.is_true, child.evidence.text) for child in node.children if child.evidence] == [
        (True, "In “VIPs” since 15 Jun 2026"),
        (True, "Granted on 14 Jun 2026: form"),
        (True, "The draw gave 7"),
        (False, "57.8 km away"),
    ]


def bucket_of(salt: str, contact: Contact) -> int:
    return int(hashlib.md5(f"{salt}:{contact.pk}".encode()).hexdigest()[:8], 16) % 100


def test_both_events_of_a_sequence_are_shown(organization: Organization) -> None:
    ada = people.contact()
    people.event(ada, "cart_filled", NOON - 3 * DAY)
    people.event(ada, "order_completed", NOON - 2 * DAY)
    rule = {
        "event": "cart_filled", "operator": "then", "then": {"event": "order_completed"},
        "gap": {"days": 2}, "within": {"from": "2026-06-01", "to": "2026-06-30"},
    }  # fmt: skip

    node = tree(rule, ada)

    assert node.is_true
    assert node.evidence is not None
    assert [(event.name, event.is_inside) for event in node.evidence.events] == [
        ("order_completed", True), ("cart_filled", True),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("operator", "told", "value"),
    [
        ("sum", "the sum of total is 50", 50),
        ("average", "the average total is 25", 25),
        ("smallest", "the smallest total is 20", 20),
        ("largest", "the largest total is 30", 30),
        ("distinct", "the number of different total is 2", 2),
    ],
)
def test_what_was_compared_is_told(organization: Organization, operator: str, told: str, value: int) -> None:
    people.definition("order_completed", total="number")
    ada = people.contact()
    for days, total in ((1, 20), (2, 30), (50, 900)):
        people.event(ada, "order_completed", NOON - days * DAY, total=total)
    rule = did("order_completed", days=30, operator=operator) | {
        "property": "total", "compare": "greater", "value": 1,
    }  # fmt: skip
    del rule["count"]

    node = tree(rule, ada)

    assert node.evidence is not None
    assert node.evidence.text == f"order_completed happened 3 times, twice in this window; {told}"
    assert node.evidence.value == value


@pytest.mark.parametrize("name", sorted(BEHAVIOURS))
def test_every_behaviour_is_explained(organization: Organization, name: str) -> None:
    people.definition("order_completed", total="number")
    ada = people.contact()
    people.event(ada, "order_completed", NOON - 2 * DAY, total=10)
    inputs = {
        "count": 1, "within": {"days": 30}, "more_than": {"days": 1}, "property": "total", "compare": "greater",
        "value": 5, "then": {"event": "order_completed"}, "gap": {"days": 1}, "periods": 4, "unit": "week",
        "at_least": 2, "pause": {"days": 5},
    }  # fmt: skip
    wanted = {given.name.split(".")[0] for given in BEHAVIOURS[name].inputs}
    rule = {"event": "order_completed", "operator": name} | {key: inputs[key] for key in inputs if key in wanted}

    node = tree(rule, ada)

    verdict = selectors.verdicts(rules.parse(rule), [ada.pk])[0]
    assert (node.is_true, node.flips_at) == (verdict.is_match, verdict.flips_at)
    assert node.evidence is not None
    assert node.evidence.events[0].happened_at == NOON - 2 * DAY


def test_the_whole_rule_takes_two_statements(organization: Organization) -> None:
    ada = people.contact(city="Leeds")
    people.event(ada, "order_completed", NOON - DAY)
    conditions = [did("order_completed", count, 30) for count in range(1, 15)]
    rule = rules.parse(everyone(city("Leeds"), *conditions))

    with CaptureQueriesContext(connection) as captured:
        explaining.explain(rule, ada.pk, NOON)

    work = [query["sql"] for query in captured if "audience_event" in query["sql"]]
    assert len(work) == 2


def test_members_and_others_are_explained(organization: Organization, drain: Drain) -> None:
    ada, bob = people.contact(name="Ada", city="Leeds"), people.contact(name="Bob", city="York")
    segment = services.create_segment(name="Leeds people", rule=city("Leeds"))
    drain()

    inside, outside = why(segment, ada), why(segment, bob)

    assert (inside.is_member, inside.is_match, inside.agrees, inside.entered_at) == (True, True, True, NOON)
    assert inside.verdict == "Ada is in “Leeds people”"
    assert (outside.is_member, outside.is_match, outside.agrees, outside.entered_at) == (False, False, True, None)
    assert outside.sentence == "Contacts where city is “Leeds”"


def test_a_segment_being_built_says_why_membership_and_rule_differ(organization: Organization, drain: Drain) -> None:
    ada = people.contact(name="Ada", city="Leeds")
    segment = services.create_segment(name="Town", rule=city("Leeds"))
    drain()
    services.update_segment(segment, rule=city("York"))

    found = why(segment, ada)

    assert (found.is_member, found.is_match, found.agrees) == (True, False, False)
    assert found.note == "The segment is being built; until that is done, the earlier members stay."


def test_an_inactive_segment_stands_still_and_says_so(organization: Organization, drain: Drain) -> None:
    segment = services.create_segment(name="Town", rule=city("Leeds"))
    drain()
    services.update_segment(segment, is_active=False)

    found = why(segment, people.contact(city="Leeds"))

    assert (found.is_match, found.agrees) == (True, False)
    assert "inactive" in found.note


def test_a_static_segment_says_who_put_somebody_in_and_took_them_out(organization: Organization) -> None:
    ada, bob = people.contact(name="Ada"), people.contact(name="Bob")
    segment = services.create_segment(name="VIPs")
    with actor.acting(actor.Actor("mia@acme.example")):
        services.add_contacts(segment, [ada.pk])

    assert (why(segment, ada).note, why(segment, ada).is_match) == ("Put in by mia@acme.example.", None)
    assert why(segment, bob).note == "Nobody has put this contact in yet."

    with clock.freeze(NOON + DAY), actor.acting(actor.Actor("max@acme.example")):
        services.remove_contacts(segment, [ada.pk])
    gone = why(segment, ada)

    assert (gone.is_member, gone.left_at, gone.note) == (False, NOON + DAY, "Taken out by max@acme.example.")


def test_who_was_merged_is_answered_as_the_one_who_stayed(organization: Organization, drain: Drain) -> None:
    ada = people.contact(name="Ada", city="Leeds")
    double = people.contact(name="A.", merged_into=ada)
    segment = services.create_segment(name="Leeds people", rule=city("Leeds"))
    drain()

    assert why(segment, double).contact == ada
    assert why(segment, double).is_member


def test_explanation_and_membership_of_random_people_agree(organization: Organization, drain: Drain) -> None:
    draw = random.Random(4)
    contacts = [people.contact(city=draw.choice(["Leeds", "York"])) for _ in range(12)]
    for contact in contacts:
        for _ in range(draw.randint(0, 3)):
            people.event(contact, "order_completed", NOON - draw.randint(0, 60) * DAY)
    rule = {
        "match": "any",
        "rules": [everyone(city("Leeds"), did("order_completed", 2, 30)), did("order_completed", 1, 5)],
    }
    segment = services.create_segment(name="Buyers", rule=rule)
    drain()
    verdicts = {row.contact_id: row for row in selectors.verdicts(rules.parse(rule), [row.pk for row in contacts])}

    for contact in contacts:
        found = why(segment, contact)
        assert found.agrees
        assert (found.is_match, found.flips_at) == (verdicts[contact.pk].is_match, verdicts[contact.pk].flips_at)


def test_the_largest_rule_is_explained_in_good_time(organization: Organization) -> None:
    ada = people.contact(city="Leeds")
    conditions = [did(f"event_{number % 40}", 1 + number % 3, 1 + number % 30) for number in range(500)]
    node = tree(everyone(*conditions), ada)

    assert len(node.children) == 500


def test_over_http(api: APIClient, drain: Drain) -> None:
    ada = people.contact(name="Ada", city="Leeds", email="ada@shop.example")
    people.event(ada, "order_completed", NOON - DAY, total=5)
    rule = everyone(city("Leeds"), did("order_completed", 1, 30))
    segment = services.create_segment(name="Leeds people", rule=rule)
    drain()

    answer = api.get(f"/api/v1/segments/leeds-people/explain/?contact={ada.pk}")

    assert answer.status_code == 200
    body = answer.json()
    assert body["segment"] == {
        "id": segment.pk, "slug": "leeds-people", "name": "Leeds people", "member_count": 1,
    }  # fmt: skip
    assert body["contact"] == {"id": ada.pk, "name": "Ada", "email": "ada@shop.example"}
    assert (body["is_member"], body["is_match"], body["agrees"]) == (True, True, True)
    assert body["flips_at"] == "2026-07-14T12:00:00Z"
    assert body["rule"]["match"] == "all"
    event = body["rule"]["rules"][1]["evidence"]["events"][0]
    assert (event["event"], event["properties"], event["is_inside"]) == ("order_completed", {"total": 5}, True)
    assert Membership.objects.count() == 1


@pytest.mark.parametrize(
    ("query", "status"), [("", 400), ("?contact=abc", 400), ("?contact=999999", 404), ("?contact=1&more=1", 400)]
)
def test_a_question_about_nobody_is_refused(api: APIClient, query: str, status: int) -> None:
    segment = services.create_segment(name="VIPs")

    assert api.get(f"/api/v1/segments/{segment.pk}/explain/{query}").status_code == status


def test_a_stranger_learns_nothing(stranger_api: APIClient, organization: Organization) -> None:
    segment = services.create_segment(name="VIPs")
    ada = people.contact()

    assert stranger_api.get(f"/api/v1/segments/{segment.pk}/explain/?contact={ada.pk}").status_code == 404


def test_a_window_older_than_the_calendar_is_read(organization: Organization) -> None:
    people.definition("order_completed")
    node = tree(did("order_completed", 1, 36_500), people.contact())

    assert node.evidence is not None
    assert (node.is_true, node.flips_at, node.evidence.inside) == (False, None, 0)
