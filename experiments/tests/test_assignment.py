"""The hash agrees with what is published, splits evenly, and keeps everybody where they are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from experiments.domain import assignment
from experiments.domain.assignment import Namespace

weights = st.lists(st.integers(1, 100), min_size=1, max_size=6).map(
    lambda parts: [part / sum(parts) for part in parts]
)


def test_the_hash_is_the_published_one() -> None:
    """GrowthBook's specification, case 0.5: value "a", seed "seed", version 2."""
    assert assignment.bucket("seed", "a") == 0.0505


@pytest.mark.parametrize(
    ("unit", "number"), [("a", 0.22), ("b", 0.077), ("ab", 0.946), ("def", 0.652), ("123", 0.011)]
)
def test_fnv_is_the_published_one(unit: str, number: float) -> None:
    """The same specification's cases of version 1, which is FNV-1a alone."""
    assert assignment._fnv1a(unit) % 1000 / 1000 == number


@given(st.text(max_size=12), st.lists(st.text(max_size=30), max_size=20))
def test_many_at_once_are_the_same_as_one_by_one(seed: str, units: list[str]) -> None:
    assert assignment.buckets(seed, units).tolist() == [assignment.bucket(seed, unit) for unit in units]
    shop = Namespace(seed, 0.2, 0.7)
    assert assignment.are_in(shop, units).tolist() == [assignment.is_in(shop, unit) for unit in units]


def test_ranges_are_the_published_ones() -> None:
    assert assignment.ranges([0.5, 0.5]) == [(0.0, 0.5), (0.5, 1.0)]
    assert assignment.ranges([0.5, 0.5], 0.5) == [(0.0, 0.25), (0.5, 0.75)]
    assert assignment.ranges([0.4, 0.6], 0) == [(0.0, 0.0), (0.4, 0.4)]


@pytest.mark.parametrize(
    ("parts", "coverage"), [([], 1), ([0.5, 0.6], 1), ([-0.1, 1.1], 1), ([1.0], 1.1), ([1.0], -1)]
)
def test_ranges_that_make_no_sense_are_refused(parts: list[float], coverage: float) -> None:
    with pytest.raises(ValueError, match=r"between 0 and 1|add up to 1"):
        assignment.ranges(parts, coverage)


@given(weights, st.floats(0, 1), st.floats(0, 1), st.lists(st.floats(0, 0.9999), max_size=30))
def test_more_coverage_moves_nobody(parts: list[float], one: float, other: float, numbers: list[float]) -> None:
    few, many = (assignment.ranges(parts, coverage) for coverage in sorted((one, other)))
    for number in numbers:
        before, after = assignment.arm_of(number, few), assignment.arm_of(number, many)
        assert before is None or after == before


@given(weights, st.floats(0, 1), st.lists(st.floats(0, 0.9999), max_size=30))
def test_arms_of_many_are_the_same(parts: list[float], coverage: float, numbers: list[float]) -> None:
    arms = assignment.ranges(parts, coverage)
    found = assignment.arms_of(np.array(numbers), arms).tolist()
    assert found == [-1 if (arm := assignment.arm_of(number, arms)) is None else arm for number in numbers]


def test_the_split_is_even_and_experiments_do_not_know_each_other() -> None:
    units = [str(number) for number in range(200_000)]
    first, second = (assignment.buckets(seed, units) for seed in ("checkout", "checkout-2"))
    counts = np.histogram(first, bins=100, range=(0, 1))[0]
    assert stats.chisquare(counts).pvalue > 0.001
    table = np.histogram2d(first, second, bins=4, range=[(0, 1), (0, 1)])[0]
    assert stats.chi2_contingency(table).pvalue > 0.001


def test_shares_of_a_namespace_that_do_not_overlap_share_nobody() -> None:
    units = [f"user-{number}" for number in range(50_000)]
    one = assignment.are_in(Namespace("pricing", 0, 0.4), units)
    other = assignment.are_in(Namespace("pricing", 0.4, 1), units)
    assert not (one & other).any() and (one | other).all()
    assert abs(one.mean() - 0.4) < 0.01
