"""The planner's numbers are those of published tables and keep their promise."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.domain import bandits, planner
from experiments.domain.estimates import Estimate
from experiments.domain.moments import Moments
from experiments.domain.planner import Metric


def test_shares_need_as_many_as_in_the_tables() -> None:
    """R's power.prop.test: p1 = .50, p2 = .75, power = .90 gives n = 76.7; .10 and .12 at .80 give 3 840.8."""
    assert planner.people_per_arm(Metric(0.5), 0.25, power=0.9) == 77
    assert planner.people_per_arm(Metric(0.1), 0.02) == 3_841


def test_means_need_as_many_as_in_the_tables() -> None:
    """Cohen (1988), table 2.4.1: d = .20, alpha two-sided .05, power .80 gives 393 a group, by the normal 392.4."""
    assert planner.people_per_arm(Metric(100, 50), 10) == 393


def test_known_habits_and_more_arms_change_the_number() -> None:
    one = planner.people_per_arm(Metric(100, 50), 1)
    assert planner.people_per_arm(Metric(100, 50, variance_reduction=0.5), 1) == pytest.approx(one / 2, abs=1)
    assert planner.people_per_arm(Metric(100, 50), 1, arms=4) > one


@given(st.floats(0.01, 0.6), st.integers(500, 1_000_000))
def test_the_smallest_effect_is_the_one_that_so_many_show(mean: float, people: int) -> None:
    effect = planner.smallest_effect(Metric(mean), people)
    if math.isinf(effect):
        return
    assert planner.people_per_arm(Metric(mean), effect) <= people
    assert planner.people_per_arm(Metric(mean), effect * 0.99) >= people


def test_too_few_show_nothing_at_all() -> None:
    assert planner.smallest_effect(Metric(0.99), 2) == math.inf


def test_an_experiment_lasts_whole_weeks() -> None:
    assert planner.days(3_841, arms=2, people_a_day=500) == 21
    with pytest.raises(ValueError, match="people coming"):
        planner.days(10, arms=2, people_a_day=0)


@pytest.mark.parametrize(
    ("metric", "effect", "arms"),
    [
        (Metric(0.5), 0.0, 2), (Metric(0.5), 0.6, 2), (Metric(1.5), 0.1, 2), (Metric(10, 0), 1, 2),
        (Metric(0.5), 0.1, 1), (Metric(10, 5, 1.0), 1, 2),
    ],
)  # fmt: skip
def test_what_cannot_be_planned_is_refused(metric: Metric, effect: float, arms: int) -> None:
    with pytest.raises(ValueError, match=r"\."):
        planner.people_per_arm(metric, effect, arms=arms)


def test_shares_follow_the_chances_and_nobody_is_forgotten() -> None:
    found = bandits.shares([Moments(1_000, 100, 100), Moments(1_000, 150, 150), Moments(1_000, 100, 100)])
    assert sum(found) == pytest.approx(1) and min(found) >= bandits.LEAST
    assert found[1] > 0.95 and found[0] == pytest.approx(found[2])
    means = bandits.shares_of_means([Estimate(10, 1, 50), Estimate(10, 1, 50)])
    assert means == pytest.approx([0.5, 0.5])
    with pytest.raises(ValueError, match="so large a share"):
        bandits.shares([Moments()] * 3, least=0.5)
