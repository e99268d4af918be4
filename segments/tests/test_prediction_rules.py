"""Conditions on what models expect: live when it changes, exact when it lapses, told in words, read by its index."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from rest_framework.test import APIClient

from accounts.models import Organization
from audience import services as audience
from audience.models import Contact, ContactPrediction, PredictionDefinition
from common import clock, tenancy
from common.errors import Invalid
from segments import rules, selectors, services
from segments.models import FlipCheck, Membership, Segment, SegmentDependency, SegmentStatus
from segments.rules import compiler, explain
from segments.services import live
from segments.tests import people
from segments.tests.people import DAY, NOON, city, everyone
from segments.tests.test_plans import crowd, indexes, nodes

__all__ = ["crowd"]

Drain = Callable[[], int]
TICK = timedelta(microseconds=1)


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    with clock.freeze(NOON):
        yield


@pytest.fixture
def churn(organization: Organization) -> PredictionDefinition:
    return audience.define_prediction(name="churn_14d", label="Churn risk", valid_days=14)


def expect(who: Contact, value: float, **said: Any) -> None:
    (answer,) = audience.record_predictions(
        [{"prediction": "churn_14d", "contact_id": who.pk, "value": value, **said}]
    )
    assert answer.status == "written", answer


def asked(operator: str, *value: Any) -> dict[str, Any]:
    return {"prediction": "churn_14d", "operator": operator} | ({"value": value[0]} if value else {})


def inside(segment: Segment) -> set[int]:
    return set(Membership.objects.filter(segment=segment, left_at=None).values_list("contact_id", flat=True))


def test_membership_follows_a_prediction_and_leaves_when_it_lapses(churn: Any, drain: Drain) -> None:
    ada, bob, cy = people.contact(), people.contact(), people.contact()
    at_risk = services.create_segment(name="At risk", rule=asked("band", "high"))
    calm = services.create_segment(name="Not at risk", rule=asked("not_band", ["high"]))
    drain()
    assert (inside(at_risk), inside(calm)) == (set(), {ada.pk, bob.pk, cy.pk})

    expect(ada, 0.9)
    expect(bob, 0.2)
    drain()
    assert (inside(at_risk), inside(calm)) == ({ada.pk}, {bob.pk, cy.pk})
    # Only who can change by time alone is checked by time.
    assert set(FlipCheck.objects.values_list("contact_id", "flips_at")) == {(ada.pk, NOON + 14 * DAY)}

    with clock.freeze(NOON + 14 * DAY - TICK):
        drain()
        assert inside(at_risk) == {ada.pk}
    with clock.freeze(NOON + 14 * DAY):
        drain()
        assert (inside(at_risk), inside(calm)) == (set(), {ada.pk, bob.pk, cy.pk})


def test_a_prediction_made_again_holds_longer_without_a_look_at_anybody(churn: Any, drain: Drain) -> None:
    ada = people.contact()
    segment = services.create_segment(name="At risk", rule=asked("greater_or_equal", 0.5))
    expect(ada, 0.5)
    drain()
    with clock.freeze(NOON + 7 * DAY):
        expect(ada, 0.5)
        assert live.predictions_moved([]) == 0
        drain()
    with clock.freeze(NOON + 14 * DAY):
        drain()
        assert inside(segment) == {ada.pk}
    with clock.freeze(NOON + 21 * DAY):
        drain()
        assert inside(segment) == set()


def test_new_limits_of_bands_move_people(churn: PredictionDefinition, drain: Drain) -> None:
    ada = people.contact()
    segment = services.create_segment(name="At risk", rule=asked("band", ["medium", "high"]))
    expect(ada, 0.3)
    drain()
    assert inside(segment) == set()

    audience.change_definition(churn, medium_from="0.2")
    drain()
    assert inside(segment) == {ada.pk}

    audience.delete_definition(churn)
    drain()
    assert (inside(segment), ContactPrediction.objects.count()) == (set(), 0)
    segment.refresh_from_db()
    assert segment.status == SegmentStatus.READY


def test_only_segments_that_ask_for_it_are_looked_at(churn: Any, drain: Drain) -> None:
    segment = services.create_segment(name="At risk", rule=everyone(asked("is_set"), city("Leeds")))

    assert set(SegmentDependency.objects.filter(segment=segment).values_list("field", flat=True)) == {
        "city",
        "prediction.churn_14d",
    }


def test_very_many_at_once_are_a_full_build(churn: Any, drain: Drain, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [people.contact() for _ in range(3)]
    segment = services.create_segment(name="At risk", rule=asked("band", "high"))
    drain()
    monkeypatch.setattr(live, "MOST_MOVED", 2)
    for row in rows:
        expect(row, 0.9)
    drain()
    assert inside(segment) == {row.pk for row in rows}
    segment.refresh_from_db()
    assert (segment.status, segment.built_at) == (SegmentStatus.READY, NOON)


@pytest.mark.parametrize(
    ("rule", "place", "told"),
    [
        ({"prediction": "ltv", "operator": "is_set"}, "prediction", 'unknown prediction "ltv"; known: churn_14d'),
        (asked("near", 1), "operator", 'unknown operator "near"'),
        (asked("band", "huge"), "value", 'expected one or more of low, medium, high, got "huge"'),
        (asked("band", []), "value", "expected one or more of low, medium, high, got []"),
        (asked("band", [["low"]]), "value", "expected one or more of low, medium, high"),
        (asked("greater", "0.5"), "value", 'expected a number, got "0.5"'),
        (asked("greater", 50), "value", "expected a number from 0 to 1, got 50"),
        (asked("between", [0.9, 0.1]), "value", "the first value, 0.9, is greater than the last, 0.1"),
        (asked("between", 0.9), "value", "expected the first and the last value, got 0.9"),
        (asked("is_set", 1), "value", "this operator takes no value"),
        (asked("greater"), "value", "expected a number, got null"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(churn: Any, rule: Any, place: str, told: str) -> None:
    with pytest.raises(Invalid) as caught:
        rules.parse(everyone(city("Leeds"), rule))

    assert list(caught.value.details) == [f"rules[1].{place}"]
    assert told in caught.value.details[f"rules[1].{place}"]


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (asked("band", ["high", "medium"]), "is in the band medium or high"),
        (asked("not_band", "low"), "is not in the band low"),
        (asked("greater", 0.5), "is more than 0.5"),
        (asked("between", [0, 1]), "is between 0 and 1"),
        (asked("not_set"), "is not known"),
    ],
)
def test_it_is_told_in_words(churn: Any, rule: Any, words: str) -> None:
    assert rules.sentence(rules.parse(rule)) == f"Contacts where the prediction “Churn risk” {words}"


def test_why_tells_value_band_model_and_that_it_is_stale(churn: Any) -> None:
    ada, bob = people.contact(), people.contact()
    expect(ada, 0.9, model_version="gbm-7")
    rule = rules.parse(asked("band", "high"))

    fresh = explain.explain(rule, ada.pk, NOON)
    stale = explain.explain(rule, ada.pk, NOON + 14 * DAY)
    nothing = explain.explain(rule, bob.pk, NOON)

    assert fresh and stale and nothing and fresh.evidence and stale.evidence and nothing.evidence
    assert (fresh.is_true, fresh.flips_at) == (True, NOON + 14 * DAY)
    assert fresh.evidence.text == "0.9 (high), made by gbm-7 on 15 Jun 2026; holds until 29 Jun 2026"
    assert (stale.is_true, stale.flips_at) == (False, None)
    assert stale.evidence.text == "0.9 (high), made by gbm-7 on 15 Jun 2026; stale since 29 Jun 2026"
    assert nothing.evidence.text == "Nothing is predicted"


def test_the_builder_is_told_the_predictions_and_the_inputs_of_each_operator(api: APIClient, churn: Any) -> None:
    told = {leaf["key"]: leaf for leaf in api.get("/api/v1/segments/language/").json()["leaves"]}["prediction"]

    assert told["inputs"] == [
        {
            "name": "prediction", "type": "choice", "label": "Prediction", "required": True,
            "choices": [{"name": "churn_14d", "label": "Churn risk"}],
        }
    ]  # fmt: skip
    types = {row["name"]: [given["type"] for given in row["inputs"]] for row in told["operators"]}
    assert types == {
        "band": ["list"], "not_band": ["list"], "greater": ["number"], "greater_or_equal": ["number"],
        "less": ["number"], "less_or_equal": ["number"], "between": ["pair"], "is_set": [], "not_set": [],
    }  # fmt: skip


FILL = """
INSERT INTO audience_contactprediction (organization_id, contact_id, name, value, band, made_at, valid_until)
SELECT %(organization)s, contact_id, name, 0.9, 'high', %(now)s, %(now)s + interval '14 days'
FROM unnest(%(contacts)s::bigint[]) contact_id CROSS JOIN unnest(ARRAY['churn_14d', 'ltv', 'open_rate']) name"""


@pytest.mark.parametrize("is_fresh", [True, False], ids=["fresh statistics", "no statistics"])
def test_a_few_are_probed_and_everybody_is_one_pass(churn: Any, crowd: list[int], is_fresh: bool) -> None:
    values = {"organization": tenancy.required(), "now": NOON, "contacts": crowd}
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(FILL, values)
        if is_fresh:
            cursor.execute("ANALYZE audience_contactprediction")
    rule = rules.parse({"match": "any", "rules": [asked("band", "high"), asked("not_set"), city("Leeds")]})

    few = nodes(
        compiler.few({1: rule}, [1] * 5, crowd[:5], tenancy.required(), NOON), then=" SELECT * FROM evaluated"
    )
    everybody = nodes(compiler.everybody(rule, tenancy.required(), NOON))

    table = "audience_contactprediction"
    assert indexes(few, table) == ["one_prediction_per_contact"]
    assert len([node for node in everybody if node.get("Relation Name") == table]) == 1
    assert selectors.matching(asked("band", "high"), crowd[:3]) == set(crowd[:3])
