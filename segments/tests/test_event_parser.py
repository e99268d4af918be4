"""What each behaviour takes, how it refuses the rest with the place, and how it reads aloud."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from common.errors import Invalid
from segments.rules.catalogue import Catalogue, KnownEvent
from segments.rules.parser import parse
from segments.rules.sentences import sentence
from segments.rules.tree import EventRule, Following, Kind, Period, PropertyFilter
from segments.tests.people import everyone

KNOWN = Catalogue(
    {},
    {
        "order": KnownEvent(7, {"total": Kind.NUMBER, "sku": Kind.TEXT, "gift": Kind.BOOLEAN}),
        "visit": KnownEvent(8, {"page": Kind.TEXT}),
    },
)
WEEK, MONTH = {"days": 7}, {"days": 30}


def order(operator: str, **inputs: Any) -> dict[str, Any]:
    return {"event": "order", "operator": operator} | inputs


def total(operator: str, **inputs: Any) -> dict[str, Any]:
    return order(operator, **({"property": "total", "compare": "greater", "value": 5} | inputs))


def problems(rule: Any) -> dict[str, str]:
    with pytest.raises(Invalid) as caught:
        parse(rule, KNOWN)
    return caught.value.details


def test_a_sequence_becomes_a_rule_that_knows_both_events() -> None:
    page = {"property": "page", "operator": "equals", "value": "/thanks"}

    rule = parse(order("then", then={"event": "visit", "where": [page]}, gap={"hours": 6}, within=MONTH), KNOWN)

    following = Following("visit", 8, (PropertyFilter("page", Kind.TEXT, "equals", "/thanks"),))
    assert rule == EventRule("order", 7, "then", within=timedelta(days=30), then=following, gap=timedelta(hours=6))


def test_a_window_may_have_fixed_ends() -> None:
    moments = {"from": "2026-01-01", "to": "2026-02-01T09:30"}

    assert parse(order("did", within=moments), KNOWN) == EventRule(
        "order", 7, "did", within=Period(date(2026, 1, 1), datetime(2026, 2, 1, 9, 30, tzinfo=UTC))
    )
    assert parse(order("did", within={"to": "2026-02-01"}), KNOWN) == EventRule(
        "order", 7, "did", within=Period(None, date(2026, 2, 1))
    )


def test_an_amount_is_compared_with_one_number_or_two() -> None:
    one, two = total("sum"), total("average", compare="between", value=[1, 2.5])

    assert parse(one, KNOWN) == EventRule("order", 7, "sum", property="total", compare="greater", value=Decimal(5))
    read = parse(two, KNOWN)
    assert isinstance(read, EventRule)
    assert read.value == (Decimal(1), Decimal("2.5"))


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    (order("did_often"), "operator", 'unknown operator "did_often"; known: did, did_not, did_exactly'),
    (order("did", more_than=WEEK), "more_than", "unknown field; known: event, operator, count, within, where"),
    (order("did_exactly", count=0), "count", "expected a whole number from 1 to 10,000, got 0"),
    (order("did", within={}), "within", "expected a span such as"),
    (order("did", within={"from": "yesterday"}), "within", 'expected a date such as "2026-01-31"'),
    (order("did", within={"from": None}), "within", 'expected a date such as "2026-01-31"'),
    (order("did", within={"from": "2026-01-02", "to": "2026-01-01"}), "within", "the window ends before it begins"),
    (order("did", within={"from": "2026-01-02", "to": "2026-01-01T08:00Z"}), "within", "the window ends before it"),
    (order("did", within={"from": "0001-01-02", "to": "0001-01-01T00:00:00+05:00"}), "within", "the window ends"),
    (order("did", within={"from": "2026-01-02", "days": 3}), "within", "expected a span such as"),
    (order("first_time"), "within", "expected a span such as"),
    (order("last_time"), "more_than", "expected a span such as"),
    (order("last_time", more_than=MONTH, within=MONTH), "more_than", "must be shorter than the window"),
    (total("sum", property="gift"), "property", "expected a property that is a number; gift is true or false; use"),
    (total("sum", property="gift"), "property", "expected a property that is a number; gift is true or false; use"),
    (total("sum", property=""), "property", 'expected text, got ""'),
    (total("sum", compare="more"), "compare", "expected greater, greater_or_equal, less, less_or_equal, equals or"),
    (total("sum", value="5"), "value", 'expected a number, got "5"'),
    (total("sum", value=[1, 2]), "value", "expected a number, got [1, 2]"),
    (total("sum", compare="between"), "value", "expected two numbers such as [10, 20], got 5"),
    (total("sum", compare="between", value=[2, 1]), "value", "the first number must not be larger than the second"),
    (order("sum", property="total", compare="less"), "value", "expected a number, got null"),
    (order("then", gap=WEEK), "then", "expected the event that follows, such as"),
    (order("then", then={}, gap=WEEK), "then.event", "expected text, got null"),
    (order("then", then={"event": "visit", "count": 2}, gap=WEEK), "then.count", "unknown field; known: event,"),
    (order("then", then={"event": "visit", "where": [{}]}, gap=WEEK), "then.where[0].property", "expected text, got"),
    (order("then", then={"event": "visit"}), "gap", "expected a span such as"),
    (order("then_not", then={"event": "visit"}, gap=WEEK, within=WEEK), "gap", "must be shorter than the window"),
    (order("regularly", periods=4, at_least=5, unit="week"), "at_least", "expected at most the number of periods"),
    (order("regularly", periods=32, at_least=5, unit="week"), "periods", "expected a whole number from 1 to 31, got"),
    (order("regularly", periods=4, at_least=3, unit="year"), "unit", 'expected day, week or month, got "year"'),
    (order("regularly", periods=4, at_least=3, unit="day", within=WEEK), "within", "unknown field; known: event"),
    (order("stopped", count=3), "within", "expected a span such as"),
    (order("stopped", within={"to": "2026-01-01"}), "within.from", "say when the window begins"),
    (order("restarted"), "pause", "expected a span such as"),
    (order("restarted", pause={"weeks": 2}), "pause", "expected a span such as"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "place", "told"), REFUSED, ids=range(len(REFUSED)))
def test_what_does_not_hold_is_refused_with_its_place(rule: Any, place: str, told: str) -> None:
    found = problems(everyone(order("did"), rule))

    assert list(found) == [f"rules[1].{place}"]
    assert found[f"rules[1].{place}"].startswith(told)


def test_how_much_a_rule_asks_of_events_is_limited() -> None:
    """More than a row of the full build can hold is refused, not tried."""
    rhythm = order("regularly", periods=31, at_least=3, unit="day")

    assert parse(everyone(*[rhythm] * 24), KNOWN)
    assert parse(everyone(*[order("did_exactly")] * 500), KNOWN)
    found = problems(everyone(*[rhythm] * 25))
    assert found == {
        "rules[24]": "the rule looks at too many periods at once; take out conditions on what people did"
    }


def test_a_stored_sum_is_read_although_the_property_came_with_another_type() -> None:
    rule = parse(total("sum", property="gift"), KNOWN, is_stored=True)

    assert isinstance(rule, EventRule)
    assert rule.property == "gift"


GIFT = {"property": "gift", "operator": "equals", "value": True}
SENTENCES = [
    (order("did_exactly", count=2, within=MONTH), "order happened exactly 2 times in the last 30 days"),
    (order("did_at_most", within=WEEK), "order happened at most once in the last 7 days"),
    (
        order("did", within={"from": "2026-01-01", "to": "2026-01-31"}),
        "order happened from 1 Jan 2026 to 31 Jan 2026",
    ),
    (order("did", within={"from": "2026-01-01"}), "order happened since 1 Jan 2026"),
    (order("did", within={"to": "2026-01-31"}), "order happened until 31 Jan 2026"),
    (order("did", within={"to": "2026-01-31T09:00"}), "order happened before 31 Jan 2026 09:00"),
    (order("first_time", within=WEEK), "order happened for the first time in the last 7 days"),
    (order("last_time", more_than={"days": 1}), "order last happened more than 1 day ago"),
    (total("sum", within=MONTH), "total of order adds up to more than 5 in the last 30 days"),
    (
        total("average", compare="between", value=[1, 2000]),
        "total of order is on average between 1 and 2,000",
    ),
    (total("smallest", compare="equals"), "the smallest total of order is exactly 5"),
    (total("largest", where=[GIFT]), "the largest total of order is more than 5 with gift is yes"),
    (
        total("distinct", property="sku", compare="greater_or_equal"),
        "order happened with at least 5 different values of sku",
    ),
    (
        order("then", then={"event": "visit", "where": [GIFT]}, gap={"hours": 1}, where=[GIFT]),
        "order with gift is yes happened, then visit with gift is yes within 1 hour",
    ),
    (
        order("then_not", then={"event": "visit"}, gap=WEEK, within=MONTH),
        "order happened, then no visit within 7 days in the last 30 days",
    ),
    (
        order("regularly", periods=4, at_least=3, unit="week"),
        "order happened in at least 3 of the last 4 weeks",
    ),
    (order("stopped", count=3, within=MONTH), "order happened at least 3 times, then nothing in the last 30 days"),
    (
        order("restarted", pause=MONTH, within=WEEK),
        "order happened again in the last 7 days after a pause of 30 days or more",
    ),
]


@pytest.mark.parametrize(("rule", "words"), SENTENCES, ids=range(len(SENTENCES)))
def test_a_behaviour_can_be_read_aloud(rule: Any, words: str) -> None:
    assert sentence(parse(rule, KNOWN)) == f"Contacts where {words}"
