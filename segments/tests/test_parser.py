"""What the rule language takes, and how it refuses the rest: with the place in the tree."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from common.errors import Invalid
from segments.rules.catalogue import Catalogue, KnownEvent
from segments.rules.parser import DEEPEST, MOST_LEAVES, parse
from segments.rules.sentences import sentence
from segments.rules.tree import AttributeRule, EventRule, Group, Kind, Match, PropertyFilter
from segments.tests.people import city, did, everyone, on

KNOWN = Catalogue(
    {"plan": Kind.TEXT, "age": Kind.NUMBER, "renews": Kind.DATE, "trial": Kind.BOOLEAN, "address": Kind.OBJECT},
    {"order_completed": KnownEvent(7, {"total": Kind.NUMBER, "sku": Kind.TEXT})},
)


def problems(rule: Any) -> dict[str, str]:
    with pytest.raises(Invalid) as caught:
        parse(rule, KNOWN)
    assert caught.value.code == "invalid_rule"
    place, told = next(iter(caught.value.details.items()))
    assert caught.value.message == f"{place}: {told}"
    return caught.value.details


def test_a_rule_becomes_a_tree_of_typed_values() -> None:
    rule = parse(
        {
            "match": "any",
            "rules": [
                on("attributes.age", "in", [18, 21.5]),
                on("attributes.renews", "less", "2026-01-31T09:00:00Z"),
                {"match": "none", "rules": [on("tags", "contains", "vip")]},
                did("order_completed", 2, 30, {"property": "total", "operator": "greater", "value": 50}),
            ],
        },
        KNOWN,
    )

    assert rule == Group(
        Match.ANY,
        (
            AttributeRule("attributes.age", Kind.NUMBER, "in", (Decimal(18), Decimal("21.5"))),
            AttributeRule("attributes.renews", Kind.DATE, "less", datetime(2026, 1, 31, 9, tzinfo=UTC)),
            Group(Match.NONE, (AttributeRule("tags", Kind.LIST, "contains", "vip"),)),
            EventRule(
                "order_completed", 7, "did", 2, timedelta(days=30),
                (PropertyFilter("total", Kind.NUMBER, "greater", Decimal(50)),),
            ),
        ),
    )  # fmt: skip


def test_a_single_condition_is_a_rule() -> None:
    rule = on("attributes.renews", "equals", "2026-01-31")

    assert parse(rule, KNOWN) == AttributeRule("attributes.renews", Kind.DATE, "equals", date(2026, 1, 31))


def test_an_event_nobody_has_sent_yet_is_allowed() -> None:
    assert parse(did("brand_new"), KNOWN) == EventRule("brand_new", None, "did", 1, None, ())


def test_the_place_of_a_wrong_value_is_told() -> None:
    age = on("attributes.age", "greater", "abc")
    nested = everyone(city("Leeds"), city("York"), {"match": "any", "rules": [age]})

    assert problems(nested) == {"rules[2].rules[0].value": 'expected a number, got "abc"'}


def test_every_problem_is_told_at_once() -> None:
    rule = everyone(on("shoe_size", "equals", 1), city("Leeds"), {"match": "some", "rules": []})

    assert problems(rule).keys() == {"rules[0].field", "rules[2].match"}


def test_an_unknown_attribute_says_which_exist() -> None:
    told = problems({"field": "attributes.pln", "operator": "is_set"})["field"]

    assert told.startswith('unknown field "attributes.pln"; known: assignee, city,')
    assert "attributes.plan" in told


REFUSED: list[tuple[Any, str, str]] = [
    (None, "rule", "expected a group or a condition, got null"),
    ([], "rule", "expected a group or a condition, got []"),
    ({}, "rule", "expected a group (match, rules) or a condition (field or event)"),
    ({"match": "all"}, "rules", "expected a list of rules, got null"),
    ({"match": "all", "rules": []}, "rules", "add at least one rule"),
    ({"match": ["all"], "rules": [city("x")]}, "match", 'expected all, any or none, got ["all"]'),
    ({"match": "all", "rules": [city("x")], "negate": True}, "negate", "unknown field; known: match, rules"),
    (city("x") | {"vale": 1}, "vale", "unknown field; known: field, operator, value"),
    ({"segment": "vip"}, "segment", "a rule cannot refer to another segment"),
    ({"field": ["city"], "operator": "is_set"}, "field", 'unknown field ["city"]; known: '),
    ({"field": "id; DROP TABLE x", "operator": "is_set"}, "field", 'unknown field "id; DROP TABLE x"; known: '),
    ({"field": "city"}, "operator", "unknown operator null; known: equals, not_equals"),
    ({"field": "city", "operator": "equals"}, "value", "a value is missing"),
    (on("city", "equals", 5), "value", "expected text, got 5"),
    (
        on("city", "equals", ""),
        "value",
        'expected text, got ""; to find empty fields use',
    ),
    (on("city", "equals", "a\x00b"), "value", "the text holds a character that cannot"),
    (on("city", "equals", "\ud800"), "value", "the text holds a character that cannot"),
    (on("city", "equals", "x" * 1001), "value", "the text has 1,001 characters; at most"),
    (on("city", "greater", "a"), "operator", "greater does not work on text; use equals"),
    (on("city", "is_set", True), "value", "this operator takes no value"),
    (
        on("city", "in", "Leeds"),
        "value",
        'expected a list of 1 to 1,000 values, got "Leeds"',
    ),
    (on("city", "in", []), "value", "expected a list of 1 to 1,000 values, got []"),
    (on("city", "in", [1]), "value", "expected text, got 1"),
    (
        on("tags", "equals", "vip"),
        "operator",
        "equals does not work on lists; use contains",
    ),
    (
        on("attributes.address", "equals", 1),
        "operator",
        "equals does not work on objects",
    ),
    (
        on("attributes.trial", "equals", "true"),
        "value",
        'expected true or false, got "true"',
    ),
    (on("attributes.age", "less", True), "value", "expected a number, got true"),
    (on("attributes.age", "less", float("nan")), "value", "expected a number, got NaN"),
    (on("attributes.age", "less", float("inf")), "value", "the number is too large"),
    (on("attributes.age", "less", 10**5000), "value", "the number is too large"),
    (on("attributes.renews", "less", "2026-02-31"), "value", "expected a date such as"),
    (on("attributes.renews", "less", "now"), "value", "expected a date such as"),
    (
        on("attributes.renews", "in_last", {"weeks": 1}),
        "value",
        "expected a span such as",
    ),
    (
        on("attributes.renews", "in_last", 0),
        "value",
        "expected a whole number of days, 1",
    ),
    (
        on("attributes.renews", "in_last", 10**9),
        "value",
        "the span is longer than 100 years",
    ),
    ({"event": "order_completed"}, "operator", "unknown operator null; known: did, did_not"),
    ({"event": "", "operator": "did"}, "event", 'expected text, got ""'),
    ({"event": "x" * 201, "operator": "did"}, "event", "the name is longer than 200 characters"),
    (did("x") | {"count": 0}, "count", "expected a whole number from 1 to 10,000, got 0"),
    (did("x") | {"count": 1.5}, "count", "expected a whole number from 1 to 10,000, got 1.5"),
    (did("x") | {"within": {"days": "7"}}, "within", 'expected a whole number of days, 1 or more, got "7"'),
    (did("x") | {"where": {}}, "where", "expected a list of at most 20 property filters, got {}"),
    (did("x") | {"where": [7]}, "where[0]", "expected a property filter (property, operator, value), got 7"),
    (
        did("order_completed", 1, None, {"property": "total", "operator": "greater", "value": "lots"}),
        "where[0].value",
        'expected a number, got "lots"',
    ),
    (
        did("x", 1, None, {"property": "due", "operator": "in_last", "value": 3}),
        "where[0].operator",
        "in_last cannot be used on a property of an event",
    ),
]


@pytest.mark.parametrize(("rule", "place", "told"), REFUSED, ids=range(len(REFUSED)))
def test_what_does_not_hold_is_refused_with_its_place(rule: Any, place: str, told: str) -> None:
    found = problems(rule)

    assert list(found) == [place]
    assert found[place].startswith(told)


def test_depth_is_limited() -> None:
    def nested(depth: int) -> Any:
        return city("x") if depth == 1 else everyone(nested(depth - 1))

    assert parse(nested(DEEPEST), KNOWN)
    assert next(iter(problems(nested(DEEPEST + 1)).values())) == "groups nest deeper than 20 levels"


def test_size_is_limited() -> None:
    halves = [everyone(*[city("x")] * (MOST_LEAVES // 2))] * 2

    assert parse(everyone(*halves), KNOWN)
    assert problems(everyone(*halves, city("x"))) == {"rules[2]": "a rule can hold at most 500 conditions"}


def test_a_stored_rule_is_read_by_its_own_values() -> None:
    """A property that later arrives with another type must not stop a live segment."""
    rule = did("order_completed", 1, None, {"property": "sku", "operator": "greater", "value": 5})

    assert list(problems(rule)) == ["where[0].operator"]
    stored = parse(rule, KNOWN, is_stored=True)
    assert isinstance(stored, EventRule)
    assert stored.where == (PropertyFilter("sku", Kind.NUMBER, "greater", Decimal(5)),)


SENTENCES = [
    (city("Leeds"), "city is “Leeds”"),
    (
        everyone(city("Leeds"), did("order_completed", 2, 30)),
        "city is “Leeds” and order_completed happened at least 2 times in the last 30 days",
    ),
    (
        {"match": "any", "rules": [city("Leeds"), everyone(city("York"), did("visit", operator="did_not"))]},
        "city is “Leeds” or (city is “York” and visit did not happen)",
    ),
    (
        {"match": "none", "rules": [on("tags", "contains", "vip")]},
        "none of this is true: (tags contains “vip”)",
    ),
    (
        did("order_completed", 1, 1, {"property": "total", "operator": "greater", "value": 1234.5}),
        "order_completed happened in the last day with total is more than 1,234.5",
    ),
    (
        did("order_completed", 3, None, operator="did_not"),
        "order_completed happened fewer than 3 times",
    ),
    (on("attributes.renews", "greater", "2026-01-31"), "renews is after 31 Jan 2026"),
]


@pytest.mark.parametrize(("rule", "words"), SENTENCES, ids=range(len(SENTENCES)))
def test_a_rule_can_be_read_aloud(rule: Any, words: str) -> None:
    assert sentence(parse(rule, KNOWN)) == f"Contacts where {words}"
