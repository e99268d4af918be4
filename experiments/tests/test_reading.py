"""A read-out comes from sums alone, says what they say, and warns before it tells."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from scipy import stats

from accounts.models import Organization
from common import clock
from experiments import services
from experiments.domain import estimates, moments, strata
from experiments.domain.moments import Moments
from experiments.models import Experiment, Problem
from experiments.selectors.reading import ReadOut, lift_over_time, read_out
from experiments.services import ArmDraft
from experiments.tests.making import NOON, ORDERED, REVENUE, later, people, running, share, stand


def _begun(**values: object) -> Experiment:
    with clock.freeze(NOON):
        return running(**values)


def _read(made: Experiment, days: float = 14) -> ReadOut:
    with clock.freeze(later(days)):
        return read_out(made)


def test_the_figures_are_those_of_scipy(organization: Organization) -> None:
    draw = np.random.default_rng(3)
    one, other = draw.integers(0, 900, 400).tolist(), draw.integers(100, 1000, 500).tolist()
    made = _begun(
        metrics=[{**REVENUE, "cuped_days": 0, "role": "primary"}],
        arms=[ArmDraft("a", weight=4), ArmDraft("b", weight=5)],
    )
    stand(made, "revenue", moments.of(one), moments.of(other))

    found = _read(made)
    compared = found.metrics[0].compared[0]
    expected = stats.ttest_ind(other, one, equal_var=False)
    assert found.people == [400, 500]
    assert compared.fixed.p_value == pytest.approx(expected.pvalue, rel=1e-9)
    assert (compared.fixed.low, compared.fixed.high) == pytest.approx(tuple(expected.confidence_interval()))
    assert compared.lift is not None
    assert compared.lift.value == pytest.approx(np.mean(other) / np.mean(one) - 1)
    assert compared.at_any_time.low < compared.fixed.low < compared.fixed.high < compared.at_any_time.high
    assert found.metrics[0].arms[1].to_be_best > 0.999
    assert found.balance is not None
    assert found.balance.p_value == pytest.approx(1)


def test_a_clear_find_is_said_in_a_sentence(organization: Organization) -> None:
    made = _begun(metrics=[ORDERED])
    stand(made, "ordered", share(10_000, 1000), share(10_000, 1300))

    verdict = _read(made).verdict
    assert verdict.tone == "good"
    assert verdict.sentence == (
        "“Treatment” brings 30.0 % more Ordered than “Control”; "
        "between 14.2 % and 45.8 % more, however often you look."
    )
    assert verdict.what_now == "Stop it and name “Treatment” the winner."


def test_where_nothing_happened_yet_nothing_is_compared(organization: Organization) -> None:
    made = _begun(metrics=[ORDERED])
    stand(made, "ordered", share(300, 0), share(320, 0))

    verdict = _read(made).verdict
    assert verdict.tone == "wait"
    assert verdict.sentence == "Nothing that “Ordered” counts has happened yet, in any arm."


def test_a_lift_of_money_is_said_in_money(organization: Organization) -> None:
    made = _begun(metrics=[{**REVENUE, "cuped_days": 0}])
    stand(made, "revenue", Moments(10_000, 5_000_000, 5_000_000_000), Moments(10_000, 6_000_000, 6_000_000_000))

    sentence = _read(made).verdict.sentence
    assert sentence.startswith("“Treatment” brings 20.0 % more Revenue than “Control”; between ")
    assert sentence.endswith("That is £1.00 more a person; £20,000.00 more, had all 20,000 got it.")


def test_what_is_not_shown_says_when_it_could_be(organization: Organization) -> None:
    made = _begun(metrics=[ORDERED])
    stand(made, "ordered", share(5_000, 500), share(5_000, 550))

    verdict = _read(made).verdict
    assert verdict.tone == "wait"
    assert verdict.sentence.startswith("No difference in Ordered is shown yet between “Treatment” and “Control”: ")
    assert "less and" in verdict.sentence
    assert verdict.what_now.startswith("Let it run: if it goes on like this there are enough people by ")
    services.stop(made)
    assert _read(Experiment.objects.get(pk=made.pk)).verdict.what_now == "It is over."


def test_several_treatments_share_the_risk_of_a_false_find(organization: Organization) -> None:
    """What shows a difference alone shows none among five."""
    arms = [share(10_000, 1000), share(10_000, 1150)]
    alone = _begun(metrics=[ORDERED])
    stand(alone, "ordered", *arms)
    many = _begun(name="Many", metrics=[ORDERED], arms=[ArmDraft(key) for key in "abcdef"])
    stand(many, "ordered", *arms, *arms[:1] * 4)

    assert _read(alone).verdict.tone == "good"
    assert _read(many).verdict.tone == "wait"


def test_lost_people_are_an_alarm_and_no_find(organization: Organization) -> None:
    made = _begun(metrics=[ORDERED], winner_rule={"is_on": True, "minimum_days": 0})
    stand(made, "ordered", share(10_000, 1000), share(9_000, 1300))

    found = _read(made)
    assert found.verdict.tone == "alarm"
    assert "“Control” has 10,000 people where 9,500 were expected" in found.verdict.sentence
    assert found.decision is None


def test_a_harmed_guardrail_keeps_its_arm_from_winning(organization: Organization) -> None:
    left = {
        "key": "left",
        "name": "Left",
        "kind": "conversion",
        "event": "left",
        "role": "guardrail",
        "direction": "down",
    }
    made = _begun(metrics=[left, ORDERED])
    stand(made, "ordered", share(10_000, 1000), share(10_000, 1300))
    stand(made, "left", share(10_000, 100), share(10_000, 300))

    found = _read(made)
    assert [one.metric.key for one in found.metrics] == ["ordered", "left"]
    assert [(one.metric.key, place) for one, place in found.harmed] == [("left", 1)]
    assert found.verdict.tone == "bad"
    assert "more Left than “Control”, which is worse" in found.verdict.sentence
    assert found.decision is None

    services.update_experiment(made, {"metrics": [{**left, "tolerance": 0.9}, ORDERED]})
    stand(made, "ordered", share(10_000, 1000), share(10_000, 1300))
    stand(made, "left", share(10_000, 100), share(10_000, 110))
    assert _read(Experiment.objects.get(pk=made.pk)).harmed == []


def test_several_finds_are_corrected_but_not_by_guardrails(organization: Organization) -> None:
    metrics = [{"key": f"m{number}", "name": "M", "kind": "conversion", "event": "x"} for number in range(5)]
    made = _begun(metrics=[*metrics, {**metrics[0], "key": "g", "role": "guardrail"}])
    for number in range(5):
        stand(made, f"m{number}", share(10_000, 1000), share(10_000, 1240 if not number else 1000))
    stand(made, "g", share(10_000, 1000), share(10_000, 1000))

    found = {one.metric.key: one.compared[0] for one in _read(made).metrics}
    assert found["m0"].adjusted_p == pytest.approx(5 * found["m0"].at_any_time.p_value)
    assert found["g"].adjusted_p == found["g"].at_any_time.p_value


def test_problems_and_people_who_wait_are_counted(organization: Organization) -> None:
    who = people(3)
    made = _begun()
    services.assign(made.pk, [contact.pk for contact in who], is_exposed=True)
    made.assignments.filter(contact=who[0]).update(problem=Problem.DISAGREES)

    found = read_out(made)
    assert (found.waiting, found.problems) == (3, {"disagrees": 1})
    assert found.verdict.sentence == "Nobody has met an arm yet."
    assert found.verdict.what_now == "They are being counted; look again in a moment."


def test_a_read_out_asks_the_same_few_questions_whatever_it_holds(organization: Organization) -> None:
    made = _begun(metrics=[ORDERED, REVENUE])
    for day in range(20):
        stand(made, "ordered", share(100, 10), share(100, 12), day=day)
    with CaptureQueriesContext(connection) as asked:
        found = _read(made)
    assert [query["sql"] for query in asked if "audience_event" in query["sql"]] == []
    assert len(asked) <= 12
    assert found.people == [2000, 2000]

    curve = lift_over_time(found, found.metrics[0].metric, 1)
    assert [day for day, _ in curve] == [NOON.date() + timedelta(days=day) for day in range(20)]
    widths = [one.high - one.low for _, one in curve]
    assert widths == sorted(widths, reverse=True)
    assert curve[-1][1].value == pytest.approx(0.2)


def test_shares_that_move_with_the_weather_do_not_flatter_an_arm() -> None:
    """Weeks get better while the treatment, which is no better, gets more people: all together it seems to win."""
    draw = np.random.default_rng(5)
    apart, together = [], []
    for _ in range(400):
        spans = []
        for rate, portion in ((0.05, 0.2), (0.10, 0.5), (0.20, 0.9)):
            treated = draw.binomial(3000, portion)
            spans.append([share(n, int(draw.binomial(n, rate))) for n in (3000 - treated, treated)])
        one, other = strata.weighted(spans, lambda arms: [estimates.mean(arm) for arm in arms])
        apart.append((other.value - one.value) / (one.variance + other.variance) ** 0.5)
        whole: list[Moments] = list(strata.total(spans))
        together.append(whole[1].mean - whole[0].mean)

    assert np.mean(together) > 0.05
    assert abs(np.mean(apart)) < 4 / 20, "unbiased: within four standard errors of nothing"
    assert 0.9 < np.std(apart) < 1.1, "and as uncertain as it says"


def test_spans_with_few_people_go_with_the_next() -> None:
    small, large = [share(3, 1), share(50, 5)], [share(40, 4), share(40, 4)]
    assert strata.joined([small, large, small]) == [[share(46, 6), share(140, 14)]]
    assert strata.joined([large, small]) == [[share(43, 5), share(90, 9)]]
    assert strata.joined([small]) == [small]
    with pytest.raises(ValueError, match="Without people"):
        strata.joined([])
