"""Random rules over random people: SQL and the naive oracle agree, in both shapes, and `flips_at` is sound."""

from __future__ import annotations

import json
import os
import random
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.models import Organization
from common import clock, tenancy
from segments import rules, selectors
from segments.rules import compiler
from segments.tests import oracle, people, random_behaviours
from segments.tests.oracle import Happening, Person
from segments.tests.people import NOON
from segments.tests.random_behaviours import EVENTS, NUMBERS

CASES = int(os.environ.get("SEGMENT_CASES", "120"))
TICK = timedelta(microseconds=1)
KINDS = {
    "attributes.plan": "text",
    "attributes.age": "number",
    "attributes.trial": "boolean",
    "attributes.renews": "date",
    "attributes.likes": "list",
    "total": "number",
    "sku": "text",
    "gift": "boolean",
}
WORDS = ["pro", "free", "p%o", "100%", "a_b", "a\\b", "'; DROP TABLE x; --", "%(now)s", "Zoë", "5", "true"]
DATES = ["2026-06-01", "2026-06-15T11:59:59Z", "2026-06-20 08:30", "2026-07-01T00:00:00+02:00", "2027-01-01"]
BROKEN_DATES = ["2026-02-31", "now", "infinity", "tomorrow", "2026-06-01\n", "06/01/2026", "2026-13-01T00:00"]


def _population(seed: int) -> dict[int, Person]:
    draw = random.Random(seed)
    for name, kind in KINDS.items():
        if name.startswith("attributes."):
            people.attribute(name.removeprefix("attributes."), kind)
    for name in EVENTS:
        people.definition(name, total="number", sku="text", gift="boolean")
    return dict(_person(draw) for _ in range(25))


def _person(draw: random.Random) -> tuple[int, Person]:
    anything = [*WORDS, *NUMBERS, *DATES, *BROKEN_DATES, True, False, None, "", [], {}, ["pro", 5], {"a": 1}]
    likes = [["pro"], ["free", "Zoë", 5], [True], [], "pro", None]
    attributes = {"plan": draw.choice(anything), "age": draw.choice([*NUMBERS, *anything])}
    attributes |= {"trial": draw.choice([True, False, *anything]), "likes": draw.choice(likes)}
    attributes["renews"] = draw.choice([*DATES * 3, *BROKEN_DATES, None, 5])
    attributes = {name: value for name, value in attributes.items() if draw.random() < 0.85}
    fields = {
        "city": draw.choice(["", *WORDS]),
        "status": draw.choice(["new", "pro"]),
        "tags": draw.choice([[], ["pro"], ["free", "a_b"]]),
        "value_minor": draw.choice([0, 5, 50]),
        "last_seen_at": _moment(draw),
    }
    row = people.contact(**fields, attributes=attributes)
    happenings = [
        Happening(draw.choice(EVENTS), _moment(draw), _properties(draw)) for _ in range(draw.randint(0, 14))
    ]
    people.events([(row.pk, item.name, item.at, item.properties) for item in happenings])
    return row.pk, Person(fields, attributes, happenings)


def _moment(draw: random.Random) -> datetime:
    """Some moments collide on purpose; some lie ahead."""
    return NOON + timedelta(
        days=draw.choice([-90, -30, -14, -7, -7, -2, -1, 0, 0, 2]), hours=draw.choice([0, 0, -1, 1])
    )


def _properties(draw: random.Random) -> dict[str, Any]:
    values = {"total": draw.choice([*NUMBERS, "abc", None, True]), "sku": draw.choice([*WORDS, 5, None])}
    values["gift"] = draw.choice([True, False, "true", 1])
    values["odd"] = draw.choice([1, 1.0, "1", 10**400, -(10**400), 1e-300, [], [1], {"a": 1}, "", None, 0.1, 0.2])
    return {name: value for name, value in values.items() if draw.random() < 0.8}


def _condition(names: list[str], kinds: dict[str, str], key: str, *, timed: bool) -> st.SearchStrategy[Any]:
    return st.sampled_from(names).flatmap(lambda name: _on(kinds[name], timed).map(lambda rest: {key: name} | rest))


def _on(kind: str, timed: bool) -> st.SearchStrategy[Any]:
    text, number, date = st.sampled_from(WORDS), st.sampled_from(NUMBERS), st.sampled_from(DATES)
    spans = st.sampled_from([7, 30, {"days": 1}, {"hours": 25}, {"minutes": 90}])
    values = {"text": text, "number": number, "boolean": st.booleans(), "date": date, "list": text | number}
    presence = st.sampled_from(["is_set", "not_set"]).map(lambda operator: {"operator": operator})
    options = [presence]
    if kind != "list":
        options.append(_pair(["equals", "not_equals"], values[kind]))
    if kind in ("text", "list"):
        options.append(_pair(["contains", "not_contains"], values[kind]))
    if kind == "text":
        options.append(_pair(["starts_with", "ends_with"], text))
    if kind in ("number", "date"):
        options.append(_pair(["greater", "less"], values[kind]))
    if kind in ("text", "number"):
        options.append(_pair(["in", "not_in"], st.lists(values[kind], min_size=1, max_size=3)))
    if kind == "date" and timed:
        options.append(_pair(["in_last"], spans))
    return st.one_of(options)


def _pair(operators: list[str], values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.builds(
        lambda operator, value: {"operator": operator, "value": value}, st.sampled_from(operators), values
    )


FIELD_KINDS = oracle.KINDS | {name: kind for name, kind in KINDS.items() if "." in name}
ATTRIBUTE = _condition(list(FIELD_KINDS), FIELD_KINDS, "field", timed=True).filter(
    # A tag is a text, and columns hold no other.
    lambda rule: not (rule["field"] == "tags" and not isinstance(rule.get("value", ""), str))
)
FILTER = _condition(["total", "sku", "gift"], KINDS, "property", timed=False)
EVENT = random_behaviours.rules(FILTER)
LEAF = ATTRIBUTE | EVENT
RULE = st.recursive(
    LEAF,
    lambda inner: st.fixed_dictionaries(
        {"match": st.sampled_from(["all", "any", "none"]), "rules": st.lists(inner, min_size=1, max_size=4)}
    ),
    max_leaves=8,
)
MOMENT = st.sampled_from([0, -1, 1, 24, 48, 24 * 7, 24 * 30]).flatmap(
    lambda hours: st.sampled_from([timedelta(), TICK, -TICK]).map(lambda tick: NOON + timedelta(hours=hours) + tick)
)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_rules_agree_with_the_oracle(organization: Organization, seed: int) -> None:
    population = _population(seed)

    @settings(max_examples=CASES, deadline=None, database=None, derandomize=True)
    @given(rule=RULE, now=MOMENT)
    def agree(rule: dict[str, Any], now: datetime) -> None:
        with clock.freeze(now), transaction.atomic():
            _compare(rule, now, population)

    agree()


def _compare(rule: dict[str, Any], now: datetime, population: dict[int, Person]) -> None:
    parsed = rules.parse(json.loads(json.dumps(rule)))
    few = {row.contact_id: (row.is_match, row.flips_at) for row in selectors.verdicts(parsed, list(population))}
    query = compiler.everybody(parsed, tenancy.required(), now)
    everybody = {row[0]: (row[1], row[2]) for row in selectors._fetch(query.sql, query.parameters)}

    assert few.keys() == population.keys()
    for contact_id, person in population.items():
        truth = oracle.is_true(rule, person, now, KINDS)
        assert few[contact_id][0] is truth, (rule, person)
        assert everybody.get(contact_id, (False, None))[0] is truth, (rule, person)
        for flips_at in (few[contact_id][1], everybody.get(contact_id, (False, None))[1]):
            _is_sound(rule, person, now, truth, flips_at)
    assert rules.sentence(parsed).startswith("Contacts where ")


def _is_sound(rule: dict[str, Any], person: Person, now: datetime, truth: bool, flips_at: datetime | None) -> None:
    """Until `flips_at` nothing changes: not at any moment that could matter, nor just before."""
    assert flips_at is None or flips_at > now
    moments = [moment + tick for moment in oracle.critical_moments(rule, person) for tick in (-TICK, timedelta())]
    for moment in [*moments, *([flips_at - TICK] if flips_at else [])]:
        if now < moment and (flips_at is None or moment < flips_at):
            assert oracle.is_true(rule, person, moment, KINDS) is truth, (rule, person, moment, flips_at)
