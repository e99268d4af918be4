"""One row per operator and kind it works on: whom it finds. And what hides in documents never breaks it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from accounts.models import Organization
from audience.models import Contact
from common import clock, tenancy
from segments import selectors
from segments.rules.behaviours import BEHAVIOURS
from segments.rules.operators import OPERATORS
from segments.tests import people
from segments.tests.people import DAY, NOON, did, on

# name → what is particular about the contact
PEOPLE: dict[str, dict[str, Any]] = {
    "full": {
        "city": "Leeds",
        "tags": ["vip", "north"],
        "value_minor": 5000,
        "first_seen_at": NOON - 364 * DAY,
        "last_seen_at": NOON - 3 * DAY,
        "attributes": {
            "plan": "pro_max",
            "age": 30,
            "trial": True,
            "renews": "2026-06-20",
            "likes": ["tea", 5, True],
        },
    },
    "wild": {
        "city": "50% off_\\x",
        "tags": ["_ip"],
        "value_minor": 0,
        "last_seen_at": NOON + DAY,
        "attributes": {"plan": "50% off_\\x", "age": "30", "trial": "true", "renews": "2026-02-31", "likes": "tea"},
    },
    "bare": {"first_seen_at": NOON - 365 * DAY, "last_seen_at": NOON - 30 * DAY},
}
ROWS: list[tuple[dict[str, Any], str]] = [
    (on("city", "equals", "Leeds"), "full"),
    (on("value_minor", "equals", 5000), "full"),
    (on("last_seen_at", "equals", "2026-06-12"), "full"),
    (on("last_seen_at", "equals", "2026-06-12T12:00:00Z"), "full"),
    (on("last_seen_at", "equals", "2026-06-12T12:00:01Z"), ""),
    (on("attributes.plan", "equals", "pro_max"), "full"),
    (on("attributes.age", "equals", 30.0), "full"),
    (on("attributes.trial", "equals", True), "full"),
    (on("attributes.trial", "equals", False), ""),
    (on("attributes.trial", "is_true"), "full"),
    (on("attributes.trial", "is_false"), ""),
    (on("attributes.renews", "equals", "2026-06-20"), "full"),
    (on("city", "not_equals", "Leeds"), "wild bare"),
    (on("attributes.age", "not_equals", 30), "wild bare"),
    (on("city", "contains", "eed"), "full"),
    (on("city", "contains", "%"), "wild"),
    (on("city", "contains", "_"), "wild"),
    (on("city", "contains", "\\"), "wild"),
    (on("attributes.plan", "contains", "o_m"), "full"),
    (on("tags", "contains", "vip"), "full"),
    (on("attributes.likes", "contains", "tea"), "full"),
    (on("attributes.likes", "contains", 5), "full"),
    (on("attributes.likes", "contains", True), "full"),
    (on("tags", "not_contains", "vip"), "wild bare"),
    (on("tags", "contains_any", ["vip", "_ip"]), "full wild"),
    (on("tags", "contains_all", ["north", "vip"]), "full"),
    (on("tags", "contains_none", ["vip"]), "wild bare"),
    (on("attributes.likes", "contains_any", ["coffee", True]), "full"),
    (on("attributes.likes", "contains_all", [5, "tea"]), "full"),
    (on("attributes.likes", "contains_all", [5, "coffee"]), ""),
    (on("attributes.likes", "contains_none", ["tea"]), "wild bare"),
    (on("tags", "has_at_least", 1), "full wild"),
    (on("attributes.likes", "has_at_least", 3), "full"),
    (on("attributes.likes", "has_at_most", 0), "wild bare"),
    (on("city", "starts_with", "Lee"), "full"),
    (on("city", "starts_with", "_ee"), ""),
    (on("attributes.plan", "starts_with", "50%"), "wild"),
    (on("city", "not_starts_with", "Lee"), "wild bare"),
    (on("city", "ends_with", "eds"), "full"),
    (on("city", "not_ends_with", "eds"), "wild bare"),
    (on("city", "matches", "L*d?"), "full"),
    (on("city", "matches", "50% *"), "wild"),
    (on("city", "matches", "*_?x"), "wild"),
    (on("city", "matches", "L_eds"), ""),
    (on("attributes.plan", "matches", "pro*"), "full"),
    (on("attributes.plan", "not_matches", "pro*"), "wild bare"),
    (on("city", "ends_with", "_\\x"), "wild"),
    (on("value_minor", "greater", 4999.5), "full"),
    (on("attributes.age", "greater", 29), "full"),
    (on("attributes.renews", "greater", "2026-06-19"), "full"),
    (on("last_seen_at", "greater", "2026-06-15"), "wild"),
    (on("value_minor", "greater_or_equal", 5000), "full"),
    (on("last_seen_at", "greater_or_equal", "2026-06-12T12:00:00Z"), "full wild"),
    (on("value_minor", "less_or_equal", 0), "wild bare"),
    (on("last_seen_at", "less_or_equal", "2026-06-12"), "full bare"),
    (on("attributes.age", "between", [30, 30.5]), "full"),
    (on("last_seen_at", "between", ["2026-05-16", "2026-06-12"]), "full bare"),
    (on("attributes.renews", "between", ["2026-06-20", "2026-06-20T00:00:00Z"]), "full"),
    (on("value_minor", "less", 1), "wild bare"),
    (on("attributes.age", "less", 10**12), "full"),
    (on("last_seen_at", "less", "2026-06-12T12:00:00Z"), "bare"),
    (on("city", "in", ["Leeds", "York"]), "full"),
    (on("attributes.age", "in", [1, 30]), "full"),
    (on("city", "not_in", ["Leeds", "York"]), "wild bare"),
    (on("city", "is_set"), "full wild"),
    (on("tags", "is_set"), "full wild"),
    (on("value_minor", "is_set"), "full"),
    (on("assignee", "is_set"), ""),
    (on("attributes.plan", "is_set"), "full wild"),
    (on("attributes.likes", "not_set"), "bare"),
    (on("city", "not_set"), "bare"),
    (on("last_seen_at", "in_last", 7), "full"),
    (on("last_seen_at", "in_last", {"days": 31}), "full bare"),
    (on("last_seen_at", "in_last", {"hours": 72}), ""),
    (on("attributes.renews", "in_last", 7), ""),
    (on("last_seen_at", "more_than_ago", 3), "full bare"),
    (on("last_seen_at", "more_than_ago", {"hours": 73}), "bare"),
    (on("last_seen_at", "in_next", 1), "wild"),
    (on("last_seen_at", "in_next", {"hours": 23}), ""),
    (on("attributes.renews", "in_next", 7), "full"),
    (on("last_seen_at", "before", "2026-06-12"), "bare"),
    (on("last_seen_at", "after", "2026-06-12"), "wild"),
    (on("last_seen_at", "after", "2026-06-12T11:59:59Z"), "full wild"),
    (on("last_seen_at", "on", "2026-06-12"), "full"),
    (on("last_seen_at", "not_on", "2026-06-12"), "wild bare"),
    (on("attributes.renews", "not_on", "2026-06-20"), "wild bare"),
    (on("last_seen_at", "weekday", ["friday", "sunday"]), "full"),
    (on("last_seen_at", "day_of_month", [12, 31, 16]), "full wild bare"),
    (on("last_seen_at", "anniversary"), ""),
    (on("first_seen_at", "anniversary"), "bare"),
    (on("first_seen_at", "anniversary_in_next", 1), "full"),
    (did("order"), "full wild"),
    (did("order", 2), "full"),
    (did("order", 1, 7), "full"),
    (did("order", 2, 7), ""),
    (did("order", 1, None, {"property": "total", "operator": "greater", "value": 50}), "full"),
    (did("order", 1, None, {"property": "note", "operator": "contains", "value": "100%"}), "wild"),
    (did("order", operator="did_not"), "bare"),
    (did("order", 2, operator="did_not"), "wild bare"),
    (did("order", 1, 7, operator="did_not"), "wild bare"),
    (did("never seen"), ""),
    (did("never seen", operator="did_not"), "full wild bare"),
]


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    with clock.freeze(NOON):
        yield


@pytest.fixture
def crowd(organization: Organization) -> dict[int, str]:
    kinds = {"plan": "text", "age": "number", "trial": "boolean", "renews": "date", "likes": "list"}
    for name, kind in kinds.items():
        people.attribute(name, kind)
    rows = {name: people.contact(name=name, **fields) for name, fields in PEOPLE.items()}
    people.event(rows["full"], "order", NOON - DAY, total=99.5, note="plain")
    people.event(rows["full"], "order", NOON - 20 * DAY, total="99")
    people.event(rows["wild"], "order", NOON - 7 * DAY, total="lots", note="100% wool")
    people.event(rows["bare"], "order", NOON + DAY, total=99)
    return {row.pk: name for name, row in rows.items()}


@pytest.mark.parametrize(("rule", "found"), ROWS, ids=[f"{n}-{row[0]['operator']}" for n, row in enumerate(ROWS)])
def test_each_operator_finds_the_right_people(crowd: dict[int, str], rule: Any, found: str) -> None:
    assert {crowd[contact_id] for contact_id in selectors.matching(rule, list(crowd))} == set(found.split())


def test_every_operator_has_a_row() -> None:
    tried = {(rule["operator"]) for rule, _ in ROWS}

    assert tried - BEHAVIOURS.keys() == OPERATORS.keys()


def test_every_operator_has_words() -> None:
    assert all(entry.words for entry in OPERATORS.values())


def test_merged_contacts_and_strangers_match_nothing(
    crowd: dict[int, str], organization: Organization, stranger: Organization
) -> None:
    full, wild = (next(pk for pk, name in crowd.items() if name == wanted) for wanted in ("full", "wild"))
    Contact.objects.filter(pk=full).update(merged_into=wild)

    assert selectors.matching(on("city", "is_set"), list(crowd)) == {wild}
    with tenancy.organization(stranger.pk):
        assert selectors.matching(on("city", "is_set"), list(crowd)) == set()
