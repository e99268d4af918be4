"""Random rules over random people: SQL and the naive oracle agree, in both shapes, and `flips_at` is sound."""

from __future__ import annotations

import json
import os
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.models import Organization
from audience import services as audience
from audience.models import Consent, Topic
from common import clock, tenancy
from segments import rules, selectors, services
from segments.models import Membership
from segments.rules import compiler
from segments.tests import oracle, people, random_behaviours, random_fields
from segments.tests.oracle import Happening, Person
from segments.tests.people import NOON
from segments.tests.random_behaviours import EVENTS, NUMBERS
from segments.tests.random_fields import BIRTHDAYS, DATES, PLACES, WORDS, ZONES

CASES = int(os.environ.get("SEGMENT_CASES", "120"))
TICK = timedelta(microseconds=1)
LEAP_DAY = datetime(2024, 2, 29, 23, tzinfo=UTC)
KINDS = {
    "attributes.plan": "text",
    "attributes.age": "number",
    "attributes.trial": "boolean",
    "attributes.renews": "date",
    "attributes.likes": "list",
    "attributes.latitude": "number",
    "attributes.longitude": "number",
    "total": "number",
    "sku": "text",
    "gift": "boolean",
    "due": "date",
}
BROKEN_DATES = ["2026-02-31", "now", "infinity", "tomorrow", "2026-06-01\n", "06/01/2026", "2026-13-01T00:00"]


def _population(seed: int) -> tuple[dict[int, Person], list[int]]:
    """People by id, and the segments some of them stand in."""
    draw = random.Random(seed)
    for name, kind in KINDS.items():
        if name.startswith("attributes."):
            people.attribute(name.removeprefix("attributes."), kind)
    for name in EVENTS:
        people.definition(name, total="number", sku="text", gift="boolean", due="date")
    population = dict(_person(draw) for _ in range(25))
    for slug in random_fields.TOPICS:
        Topic.objects.create(name=slug.title(), slug=slug)
    define_predictions()
    segment_ids = [services.create_segment(name=f"By hand {number}").pk for number in range(2)]
    for person in population.values():
        _stand_and_agree(person, segment_ids, draw)
        predict(person, draw, NOON)
    return population, segment_ids


def _stand_and_agree(person: Person, segment_ids: list[int], draw: random.Random) -> None:
    """Put a person into segments (and out again), and write what they said about messages."""
    for segment_id in segment_ids:
        if draw.random() < 0.6:
            left_at = draw.choice([None, None, NOON])
            Membership.objects.create(segment_id=segment_id, contact_id=person.id, left_at=left_at)
            person.segments |= {segment_id} if left_at is None else set()
    for number in range(draw.randint(0, 4)):
        channel, topic = draw.choice(["email", "sms"]), draw.choice([None, *random_fields.TOPICS])
        state = draw.choice(["granted", "granted", "withdrawn"])
        row = Topic.objects.get(slug=topic) if topic else None
        moment = NOON + timedelta(hours=number // 2)  # two of one moment
        person.consents.append((channel, topic, state, moment))
        Consent.objects.create(
            contact_id=person.id, channel=channel, topic=row, state=state, how="form", happened_at=moment
        )


def define_predictions() -> None:
    audience.define_prediction(name="churn", label="Churn")
    audience.define_prediction(name="worth", label="Worth", unit="amount", medium_from=100, high_from=1000)


def predict(person: Person, draw: random.Random, now: datetime) -> None:
    """Say what is expected of a person: some of it has lapsed, some lapses at a moment that tests look at."""
    for name, values in random_fields.PREDICTED.items():
        if draw.random() < 0.25:
            continue
        value = draw.choice(values)
        until = now + timedelta(hours=draw.choice([-24, 0, 1, 24, 24 * 7, 24 * 40]))
        row = {"prediction": name, "contact_id": person.id, "value": value, "valid_until": until.isoformat()}
        answers = audience.record_predictions([row | {"made_at": (now - timedelta(days=2)).isoformat()}])
        if answers[0].status == "written":
            medium, high = {"churn": (0.33, 0.66), "worth": (100, 1000)}[name]
            band = "high" if value >= high else "medium" if value >= medium else "low"
            person.predictions[name] = (value, band, until)


def _person(draw: random.Random) -> tuple[int, Person]:
    anything = [*WORDS, *NUMBERS, *DATES, *BROKEN_DATES, True, False, None, "", [], {}, ["pro", 5], {"a": 1}]
    likes = [["pro"], ["free", "Zoë", 5], [True], [], "pro", None]
    attributes = {"plan": draw.choice(anything), "age": draw.choice([*NUMBERS, *anything])}
    attributes |= {"trial": draw.choice([True, False, *anything]), "likes": draw.choice(likes)}
    attributes["renews"] = draw.choice([*DATES * 2, *BIRTHDAYS * 2, *BROKEN_DATES, None, 5])
    place = draw.choice([*PLACES, (53.9, -1.5), (91, 0), (10**400, 5), ("53.8", "-1.55")])
    attributes |= {"latitude": place[0], "longitude": place[1]}
    attributes = {name: value for name, value in attributes.items() if draw.random() < 0.85}
    fields = {
        "city": draw.choice(["", *WORDS]),
        "status": draw.choice(["new", "pro"]),
        "tags": draw.choice([[], ["pro"], ["free", "a_b"]]),
        "value_minor": draw.choice([0, 5, 50]),
        "last_seen_at": _moment(draw),
        "first_seen_at": draw.choice(
            [_moment(draw), NOON - timedelta(days=365), datetime(2024, 2, 29, 23, tzinfo=UTC)]
        ),
        "timezone": draw.choice(ZONES),
    }
    row = people.contact(**fields, attributes=attributes)
    happenings = [
        Happening(draw.choice(EVENTS), _moment(draw), _properties(draw)) for _ in range(draw.randint(0, 14))
    ]
    people.events([(row.pk, item.name, item.at, item.properties) for item in happenings])
    return row.pk, Person(fields, attributes, happenings, row.pk)


def _moment(draw: random.Random) -> datetime:
    """Some moments collide on purpose; some lie ahead."""
    return NOON + timedelta(
        days=draw.choice([-90, -72, -71, -30, -14, -7, -7, -2, -1, 0, 0, 2]), hours=draw.choice([0, 0, -1, 1])
    )


def _properties(draw: random.Random) -> dict[str, Any]:
    texts = [
        "5",
        "50.50",
        "-3",
        "007",
        "+5",
        " 5",
        "5.",
        ".5",
        "5-",
        "1e3",
        "1,000",
        "٥",
        "9" * 30,
        "9" * 31,
        "5\n",
        "NaN",
    ]
    values = {"total": draw.choice([*NUMBERS * 2, *texts, "abc", None, True]), "sku": draw.choice([*WORDS, 5, None])}
    values["gift"] = draw.choice([True, False, "true", 1])
    values["due"] = draw.choice([*DATES, *BIRTHDAYS, *BROKEN_DATES, 5])
    values["odd"] = draw.choice(
        [1, 1.0, "1", "1.0", "-0", 10**400, -(10**400), 1e-300, [], [1], {"a": 1}, "", None, 0.1, 0.2]
    )
    return {name: value for name, value in values.items() if draw.random() < 0.8}


def _condition(names: list[str], kinds: dict[str, str], key: str, *, timed: bool) -> st.SearchStrategy[Any]:
    def of(name: str) -> st.SearchStrategy[Any]:
        # A tag is a text, and columns hold no other.
        drawn = random_fields.on(kinds[name], is_timed=timed, is_text_list=name == "tags")
        return drawn.map(lambda rest: {key: name} | rest)

    return st.sampled_from(names).flatmap(of)


FIELD_KINDS = oracle.KINDS | {name: kind for name, kind in KINDS.items() if "." in name}
ATTRIBUTE = _condition(list(FIELD_KINDS), FIELD_KINDS, "field", timed=True)
FILTER = _condition(["total", "sku", "gift", "due"], KINDS, "property", timed=False)
EVENT = random_behaviours.rules(FILTER)


def _rules(segment_ids: list[int]) -> st.SearchStrategy[dict[str, Any]]:
    """Trees of every kind of group over every kind of condition."""
    return st.recursive(
        ATTRIBUTE | EVENT | random_fields.others(segment_ids),
        lambda inner: st.lists(inner, min_size=1, max_size=4).flatmap(_group),
        max_leaves=8,
    )


def _group(inner: list[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    plain = st.sampled_from(["all", "any", "none"]).map(lambda match: {"match": match, "rules": inner})
    counted = st.integers(1, len(inner)).map(lambda count: {"match": "at_least", "count": count, "rules": inner})
    return plain | counted


MOMENT = st.sampled_from([0, -1, 1, 24, 48, 24 * 7, 24 * 30]).flatmap(
    lambda hours: st.sampled_from([timedelta(), TICK, -TICK]).map(lambda tick: NOON + timedelta(hours=hours) + tick)
)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_rules_agree_with_the_oracle(organization: Organization, seed: int) -> None:
    Organization.objects.filter(pk=organization.pk).update(timezone=oracle.HOME.key)
    population, segment_ids = _population(seed)

    @settings(max_examples=CASES, deadline=None, database=None, derandomize=True)
    @given(rule=_rules(segment_ids), now=MOMENT)
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
    moments = [
        moment + tick for moment in oracle.critical_moments(rule, person, KINDS) for tick in (-TICK, timedelta())
    ]
    for moment in [*moments, *([flips_at - TICK] if flips_at else [])]:
        if now < moment and (flips_at is None or moment < flips_at):
            assert oracle.is_true(rule, person, moment, KINDS) is truth, (rule, person, moment, flips_at)
