"""Estimates, intervals and chances are those of scipy and of published tables."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import integrate, stats

from experiments.domain import balance, comparison, estimates, families, moments, posterior
from experiments.domain.moments import Moments

amounts = st.lists(st.integers(0, 100_000), min_size=3, max_size=40)


def drawn(seed: int, people: int = 400, correlation: float = 0.0, shift: float = 0.0) -> Moments:
    random = np.random.default_rng(seed)
    before = random.normal(10, 3, people)
    after = 20 + shift + correlation * (before - 10) + random.normal(0, 3 * math.sqrt(1 - correlation**2), people)
    return moments.of(after.tolist(), before.tolist())


@given(amounts)
def test_mean_and_variance_of_whole_numbers_lose_no_digit(ys: list[int]) -> None:
    far = [y + 10**12 for y in ys]
    found = Moments(len(far), sum(far), sum(y * y for y in far))
    assert found.variance == pytest.approx(np.var(np.array(ys, dtype=float), ddof=1), rel=1e-12, abs=1e-9)
    assert found.mean == pytest.approx(10**12 + np.mean(ys))


@given(amounts, amounts)
def test_days_add_up(one: list[int], other: list[int]) -> None:
    assert moments.of(one, one) + moments.of(other, other) == moments.of(one + other, one + other)


@given(amounts, amounts, st.floats(0.001, 0.5))
def test_a_difference_is_that_of_welchs_test(one: list[int], other: list[int], alpha: float) -> None:
    assume(len(set(one)) > 1 and len(set(other)) > 1)  # scipy warns of people that are all alike
    control, treatment = estimates.mean(moments.of(one)), estimates.mean(moments.of(other))
    found = comparison.absolute(control, treatment, alpha)
    theirs = stats.ttest_ind(other, one, equal_var=False)
    span = theirs.confidence_interval(1 - alpha)
    assert found.p_value == pytest.approx(theirs.pvalue, rel=1e-9, abs=1e-12)
    assert (found.low, found.high) == pytest.approx((span.low, span.high), rel=1e-9, abs=1e-6)


def test_people_who_are_all_alike_leave_no_doubt() -> None:
    alike, others = estimates.mean(moments.of([1, 1, 1])), estimates.mean(moments.of([2, 2, 2]))
    assert comparison.absolute(alike, others) == comparison.Difference(1, 1, 1, 0.0, is_relative=False)
    assert comparison.absolute_at_any_time(alike, alike).p_value == 1.0


def test_a_lift_in_per_cent_covers_the_truth_as_often_as_it_says() -> None:
    random, hits = np.random.default_rng(5), 0
    for _ in range(1_000):
        one, other = random.exponential(10, 500), random.exponential(12, 500)
        lift = comparison.relative(*(estimates.mean(moments.of(each.tolist())) for each in (one, other)))
        hits += lift.low <= 0.2 <= lift.high
    assert 935 <= hits <= 965  # 950 ± 2 standard deviations


def test_a_lift_over_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing to compare"):
        comparison.relative(estimates.mean(moments.of([0, 0])), estimates.mean(moments.of([0, 1])))


def test_a_ratio_knows_that_people_were_drawn_and_not_orders() -> None:
    random = np.random.default_rng(1)
    orders = random.poisson(3, 2_000) + 1
    spent = orders * random.normal(50, 15, 2_000)  # people with many orders are alike in what they pay
    found = estimates.ratio(moments.of(spent.tolist(), orders.tolist()))
    drawn_again = [
        spent[chosen].sum() / orders[chosen].sum()
        for chosen in (random.integers(0, 2_000, 2_000) for _ in range(800))
    ]
    assert found.value == pytest.approx(spent.sum() / orders.sum())
    assert math.sqrt(found.variance) == pytest.approx(np.std(drawn_again), rel=0.08)
    with pytest.raises(ValueError, match="no value"):
        estimates.ratio(moments.of([1, 2], [0, 0]))


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.9])
def test_what_was_known_before_takes_its_squared_correlation_off_the_variance(correlation: float) -> None:
    arms = [drawn(seed, 20_000, correlation) for seed in (1, 2)]
    assert estimates.variance_reduction(arms) == pytest.approx(correlation**2, abs=0.01)


def test_an_adjusted_difference_is_that_of_a_regression() -> None:
    random = np.random.default_rng(3)
    before, treated = random.normal(10, 3, 3_000), random.integers(0, 2, 3_000)
    after = 5 + 0.8 * treated + 0.7 * before + random.normal(0, 2, 3_000)
    arms = [moments.of(after[treated == arm].tolist(), before[treated == arm].tolist()) for arm in (0, 1)]
    control, treatment = estimates.adjusted(arms)
    design = np.column_stack([np.ones(3_000), treated, before])
    theirs = np.linalg.lstsq(design, after, rcond=None)[0][1]
    assert treatment.value - control.value == pytest.approx(theirs, rel=1e-6)


def test_a_companion_that_says_nothing_changes_nothing() -> None:
    arms = [moments.of([1, 2, 3], [5, 5, 5]), moments.of([2, 3, 7], [5, 5, 5])]
    assert estimates.adjusted(arms) == [estimates.mean(arm) for arm in arms]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_families_are_adjusted_as_scipy_does(p_values: list[float]) -> None:
    assert families.adjusted(p_values) == pytest.approx(stats.false_discovery_control(p_values).tolist())


@given(st.lists(st.integers(1, 10_000), min_size=2, max_size=5))
def test_one_look_at_the_split_is_pearsons(counts: list[int]) -> None:
    weights = [1 + place for place in range(len(counts))]
    expected = [sum(counts) * weight / sum(weights) for weight in weights]
    assert balance.check(counts, weights).p_value == pytest.approx(stats.chisquare(counts, expected).pvalue, rel=1e-9)


def test_an_even_split_is_fine_and_a_leak_is_not() -> None:
    assert not balance.check([50_200, 49_800], [1, 1]).is_off
    assert balance.check([500_000, 495_000], [1, 1]).is_off  # one per cent of one arm is gone
    assert balance.check([0, 0], [1, 1]) == balance.Balance([0, 0], 1.0, 1.0)
    with pytest.raises(ValueError, match="weight"):
        balance.check([1, 2], [1, 0])


def test_the_chance_of_two_shares_is_the_published_one() -> None:
    """Beta(21, 81) against Beta(31, 71): by Miller's closed form (2015), "Formulas for Bayesian A/B Testing"."""
    first, second = posterior.of_shares([Moments(100, 20, 20), Moments(100, 30, 30)])
    a, b, c, d = 21, 81, 31, 71
    closed = sum(math.exp(_lbeta(a + i, b + d) - math.log(d + i) - _lbeta(1 + i, d) - _lbeta(a, b)) for i in range(c))
    assert second.to_be_best == pytest.approx(closed, abs=1e-9)
    assert first.to_be_best + second.to_be_best == pytest.approx(1)


def _lbeta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def test_the_loss_of_two_means_is_the_normal_integral() -> None:
    arms = [estimates.Estimate(10.0, 0.04, 100), estimates.Estimate(10.3, 0.09, 100)]
    first, second = posterior.of_means(arms)
    spread = stats.norm(0.3, math.sqrt(0.13))
    assert second.to_be_best == pytest.approx(1 - spread.cdf(0), abs=1e-9)
    assert first.expected_loss == pytest.approx(integrate.quad(lambda d: d * spread.pdf(d), 0, 5)[0], abs=1e-7)
    assert second.expected_loss == pytest.approx(integrate.quad(lambda d: -d * spread.pdf(d), -5, 0)[0], abs=1e-7)
    assert (first.low, first.high) == pytest.approx(stats.norm(10, 0.2).interval(0.95), abs=1e-6)


def test_chances_of_many_arms_are_those_of_drawing() -> None:
    arms = [Moments(n, y, y) for n, y in ((1_000, 50), (1_000, 62), (200, 14), (50_000, 2_700))]
    random = np.random.default_rng(9)
    draws = np.array([random.beta(1 + arm.y, 1 + arm.n - arm.y, 400_000) for arm in arms])
    wins = np.bincount(draws.argmax(axis=0), minlength=4) / 400_000
    losses = (draws.max(axis=0) - draws).mean(axis=1)
    found = posterior.of_shares(arms)
    assert [each.to_be_best for each in found] == pytest.approx(wins.tolist(), abs=0.004)
    assert [each.expected_loss for each in found] == pytest.approx(losses.tolist(), rel=0.02)


def test_arms_that_nobody_entered_are_all_alike() -> None:
    assert [each.to_be_best for each in posterior.of_shares([Moments(), Moments()])] == pytest.approx([0.5, 0.5])
    with pytest.raises(ValueError, match="nothing to compare"):
        posterior.of_means([])


def test_looking_every_day_costs_width_and_never_truth() -> None:
    control, treatment = estimates.mean(drawn(1)), estimates.mean(drawn(2, shift=2))
    once, always = (compare(control, treatment) for compare in (comparison.absolute, comparison.absolute_at_any_time))
    assert always.low < once.low < once.high < always.high
    assert always.p_value > once.p_value
    assert always.is_significant == (always.p_value < 0.05)


@given(st.floats(0.1, 5), st.floats(-3, 3))
def test_an_interval_leaves_out_nothing_exactly_when_its_p_value_is_small(error: float, value: float) -> None:
    control = estimates.Estimate(10.0, error**2, 5_000)
    treatment = estimates.Estimate(10.0 + value, error**2, 5_000)
    for compare in (
        comparison.absolute, comparison.absolute_at_any_time, comparison.relative, comparison.relative_at_any_time
    ):  # fmt: skip
        found = compare(control, treatment)
        assert found.is_significant == (found.p_value < 0.05) or found.p_value == pytest.approx(0.05, abs=1e-6)
