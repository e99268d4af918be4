"""What the rule language takes, and how it refuses the rest: with the place in the tree."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from common.errors import Invalid
from segments.rules.catalogue import Catalogue, KnownEvent, KnownSegment, KnownTopic
from segments.rules.parser import DEEPEST, MOST_LEAVES, parse
from segments.rules.sentences import sentence
from segments.rules.tree import AttributeRule, EventRule, Group, Kind, Match, PropertyFilter
from segments.tests.people import city, did, everyone, on

VIP = KnownSegment(3, "vip-people", "VIP")
ROUND = KnownSegment(4, "round", "Round", circle=("Mine", "Round", "Mine"))
KNOWN = Catalogue(
    {"plan": Kind.TEXT, "age": Kind.NUMBER, "renews": Kind.DATE, "trial": Kind.BOOLEAN, "address": Kind.OBJECT},
    {"order_completed": KnownEvent(7, {"total": Kind.NUMBER, "sku": Kind.TEXT})},
    {3: VIP, 4: ROUND},
    {"news": KnownTopic(9, "News")},
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
    ({}, "rule", "expected a group (match, rules) or a condition (field, event, segment,"),
    ({"match": "all"}, "rules", "expected a list of rules, got null"),
    ({"match": "all", "rules": []}, "rules", "add at least one rule"),
    ({"match": ["all"], "rules": [city("x")]}, "match", 'expected all, any, none or at_least, got ["all"]'),
    ({"match": "all", "rules": [city("x")], "negate": True}, "negate", "unknown field; known: match, rules"),
    (city("x") | {"vale": 1}, "vale", "unknown field; known: field, operator, value"),
    (everyone(city("x")) | {"count": 1}, "count", "unknown field; known: match, rules"),
    (everyone(city("x")) | {"match": "at_least"}, "count", "expected a whole number from 1 to 1, the number of its"),
    (everyone(city("x")) | {"match": "at_least", "count": 2}, "count", "expected a whole number from 1 to 1, the"),
    ({"segment": "vip", "operator": "in"}, "segment", 'there is no segment "vip" here'),
    ({"segment": 7, "operator": "within"}, "operator", 'unknown operator "within"; known: in, not_in'),
    ({"segment": True, "operator": "in"}, "segment", "there is no segment true here"),
    ({"segment": 7, "operator": "in", "value": 1}, "value", "unknown field; known: segment, operator"),
    ({"consent": "fax", "operator": "granted"}, "consent", 'unknown channel "fax"; known: email, sms'),
    ({"consent": "email", "operator": "granted", "topic": "x"}, "topic", 'unknown topic "x"; known: news'),
    ({"consent": "email", "operator": "granted", "topic": ["x"]}, "topic", 'unknown topic ["x"]; known: news'),
    ({"bucket": 5}, "bucket", "expected salt, from and to, got 5"),
    ({"bucket": {"salt": "", "from": 0, "to": 1}}, "bucket.salt", 'expected text, got ""'),
    ({"bucket": {"salt": "a", "from": 0, "to": 100}}, "bucket.to", "expected a whole number from 0 to 99, got 100"),
    ({"bucket": {"salt": "a", "from": 9, "to": 8}}, "bucket.to", "expected a number from 9 to 99, got 8"),
    (
        {"near": {"latitude": 91, "longitude": 0, "kilometers": 1}, "operator": "within"},
        "near.latitude",
        "expected a number from -90 to 90, got 91",
    ),
    ({"near": {"latitude": 1}, "operator": "within"}, "near.longitude", "expected a number, got null"),
    (
        {"near": {"latitude": 1, "longitude": 1, "kilometers": 1}, "operator": "within"},
        "near",
        'there is no number field "attributes.latitude" with the latitude',
    ),
    (
        {
            "near": {"latitude": 1, "longitude": 1, "kilometers": 1},
            "operator": "within",
            "latitude_field": "attributes.age",
            "longitude_field": "city",
        },
        "longitude_field",
        'there is no number field "city" with the longitude',
    ),
    (on("attributes.age", "between", [1]), "value", "expected a list of two values, the lower one first, got [1]"),
    (on("attributes.age", "between", [2, 1]), "value", "expected the lower value first, got [2, 1]"),
    (on("attributes.age", "between", [1, "x"]), "value", 'expected a number, got "x"'),
    (on("attributes.renews", "between", ["2026-02-01", "2026-01-31T23:00:00Z"]), "value", "expected the lower value"),
    (on("attributes.renews", "on", "2026-01-31T09:00:00Z"), "value", "expected a day such as"),
    (on("attributes.renews", "weekday", ["funday"]), "value", "expected a list of weekdays such as"),
    (on("attributes.renews", "weekday", []), "value", "expected a list of weekdays such as"),
    (on("attributes.renews", "day_of_month", [0]), "value", "expected a list of days from 1 to 31, such as"),
    (on("attributes.renews", "day_of_month", [True]), "value", "expected a list of days from 1 to 31, such as"),
    (on("attributes.renews", "anniversary", 1), "value", "this operator takes no value"),
    (on("attributes.renews", "anniversary_in_next", {"hours": 25}), "value", "expected whole days up to a year"),
    (on("attributes.renews", "anniversary_in_next", 366), "value", "expected whole days up to a year"),
    (on("tags", "has_at_least", 1.5), "value", "expected a whole number from 0 to 10,000, got 1.5"),
    (on("tags", "contains_any", "vip"), "value", 'expected a list of 1 to 1,000 values, got "vip"'),
    (on("city", "matches", ""), "value", 'expected text, got ""'),
    (on("city", "is_true"), "operator", "is_true does not work on text; use equals"),
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


def test_a_rule_that_leads_back_to_itself_is_refused_with_the_way_round() -> None:
    rule = everyone(city("Leeds"), {"match": "any", "rules": [{"segment": "round", "operator": "in"}]})

    assert problems(rule) == {"rules[1].rules[0].segment": "this would go round in a circle: Mine → Round → Mine"}


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
    rule = did("order_completed", 1, None, {"property": "sku", "operator": "is_true"})

    assert list(problems(rule)) == ["where[0].operator"]
    stored = parse(rule, KNOWN, is_stored=True)
    assert isinstance(stored, EventRule)
    assert stored.where == (PropertyFilter("sku", Kind.BOOLEAN, "is_true", None),)


def test_a_number_is_looked_for_in_a_text_only_where_the_rule_asks_for_one() -> None:
    numbers = did("order_completed", 1, None, {"property": "sku", "operator": "greater", "value": 5})
    texts = did("order_completed", 1, None, {"property": "sku", "operator": "equals", "value": "5"})

    for rule, kind in ((numbers, Kind.NUMBER), (texts, Kind.TEXT)):
        for is_stored in (False, True):
            found = parse(rule, KNOWN, is_stored=is_stored)
            assert isinstance(found, EventRule)
            assert found.where[0].kind is kind


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
    (on("attributes.renews", "greater", "2026-01-31"), "renews is later than 31 Jan 2026"),
    (on("attributes.renews", "after", "2026-01-31"), "renews is after 31 Jan 2026"),
    (on("attributes.renews", "less_or_equal", "2026-01-31"), "renews is 31 Jan 2026 or earlier"),
    (on("attributes.age", "between", [18, 1000]), "age is between 18 and 1,000"),
    (on("attributes.renews", "weekday", ["friday", "monday", "sunday"]), "renews falls on Monday, Friday or Sunday"),
    (on("attributes.renews", "day_of_month", [15, 1]), "renews falls on day 1 or 15 of a month"),
    (on("attributes.renews", "anniversary_in_next", 7), "renews has its anniversary in the next 7 days"),
    (on("tags", "has_at_most", 2), "tags has at most 2 entries"),
    (on("city", "matches", "L*ds"), "city matches “L*ds”"),
    (
        {"match": "at_least", "count": 2, "rules": [city("Leeds"), city("York"), on("city", "is_set")]},
        "at least 2 of these 3 are true: (city is “Leeds”; city is “York”; city is set)",
    ),
    ({"segment": 3, "operator": "in"}, "the contact is in the segment “VIP”"),
    ({"segment": "vip-people", "operator": "not_in"}, "the contact is not in the segment “VIP”"),
    ({"consent": "email", "operator": "granted", "topic": "news"}, "the contact has agreed to e-mail about “News”"),
    (
        {"bucket": {"salt": "spring", "from": 10, "to": 19}},
        "the contact is among 10 of 100 drawn at random (“spring” 10–19)",
    ),
    (
        {
            "near": {"latitude": 53.8, "longitude": -1.55, "kilometers": 1000},
            "operator": "within",
            "latitude_field": "attributes.age",
            "longitude_field": "attributes.age",
        },
        "the contact is within 1,000 km of 53.8, -1.55",
    ),
]


@pytest.mark.parametrize(("rule", "words"), SENTENCES, ids=range(len(SENTENCES)))
def test_a_rule_can_be_read_aloud(rule: Any, words: str) -> None:
    assert sentence(parse(rule, KNOWN)) == f"Contacts where {words}"
