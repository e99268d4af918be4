"""Suggestions from what models expect: sizes, exact lifts against what was observed, and what is missing."""

from __future__ import annotations

import pytest

from audience import services as audience
from audience.models import Contact
from segments.models import AnalysisKind
from segments.patterns.predicted import GROUP
from segments.tests.patterns.shop import ago, buy, computed, missing, people, shop

pytestmark = pytest.mark.usefixtures("at_noon")
SUGGESTIONS = AnalysisKind.SUGGESTIONS
BAND = {"prediction": "churn", "operator": "band", "value": ["high"]}


def expect(rows: list[Contact], value: float, days_ago: float) -> None:
    audience.record_predictions(
        [{"contact_id": row.pk, "value": value} for row in rows],
        {"prediction": "churn", "made_at": ago(days_ago).isoformat()},
    )


def churn() -> None:
    audience.define_prediction(name="churn", label="Churn risk", valid_days=30)


def test_without_models_it_says_how_to_begin() -> None:
    shop()
    buy([(who, 10, 5) for who in people(3)])
    assert computed(SUGGESTIONS) == {}
    assert missing(GROUP, SUGGESTIONS).startswith("No model has said anything yet")


def test_below_the_minimum_it_says_how_many_there_are() -> None:
    shop()
    churn()
    expect(people(199), 0.9, 10)
    assert computed(SUGGESTIONS) == {}
    assert missing("Churn risk", SUGGESTIONS) == "“Churn risk” holds for 199 people; a suggestion needs 200."


def test_the_high_band_is_suggested_with_what_happened_since() -> None:
    shop()
    churn()
    high, low = people(100), people(200)
    expect(high, 0.9, 10)
    expect(low, 0.1, 10)
    buy([(who, 3, 5) for who in [*high[:10], *low[:80]]])
    buy([(who, 8, 5) for who in high])  # before the cut: known then, observed by nobody

    found = computed(SUGGESTIONS)["predicted-churn"]

    assert (found.group, found.title, found.size) == (GROUP, "Churn risk: high", 100)
    assert found.rule == {"match": "all", "rules": [BAND]}
    assert found.evidence == {
        "lift": 0.25, "low": 0.1356, "high": 0.461, "with": 100, "with_converted": 10, "without": 200,
        "without_converted": 80,
    }  # fmt: skip
    assert (
        "Of 100 in the band 7 days ago 10.0 % did “order_completed” since, of the 200 others 40.0 %" in found.reason
    )


def test_young_predictions_have_no_lift_yet() -> None:
    shop()
    churn()
    buy([(who, 3, 5) for who in people(1)])
    expect(people(200), 0.9, 2)

    found = computed(SUGGESTIONS)["predicted-churn"]

    assert (found.size, found.evidence) == (200, {})
    assert found.reason.endswith("What they did since is compared once predictions are 7 days old.")


def test_the_best_customers_at_risk_are_those_of_then() -> None:
    """Who became a high spender by buying after the prediction does not count as one."""
    shop()
    churn()
    rich, poor = people(120), people(200)
    buy([(who, 20, 500) for who in rich[:40]] + [(who, 20, 5) for who in [*rich[40:], *poor]])
    expect([*rich[:20], *poor[:50]], 0.9, 10)
    expect([*rich[20:], *poor[50:]], 0.1, 10)
    computed(AnalysisKind.PATTERNS)

    found = computed(SUGGESTIONS)["predicted-churn-high-spender"]

    assert (found.title, found.size) == ("Churn risk: high among high spenders", 20)
    assert found.rule["rules"][0] == BAND
    assert found.evidence == {}
    assert "7 days ago it held for 20 in the band and 20 others, and 0 of them" in found.reason
