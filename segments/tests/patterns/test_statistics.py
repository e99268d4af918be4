"""The statistics against published results, another implementation (scipy), and their own laws."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.stats.contingency import relative_risk

from segments.domain.statistics import (
    Moments,
    Table,
    false_discovery_rates,
    fisher_exact,
    mean_ratio,
    p_value,
    risk_ratio,
    silhouette_words,
)

counts = st.integers(1, 400)


@st.composite
def tables(draw: st.DrawFn) -> Table:
    one, other = draw(counts), draw(counts)
    return Table(one, draw(st.integers(0, one)), other, draw(st.integers(0, other)))


def test_the_physicians_health_study_gives_its_published_ratio() -> None:
    # Agresti, Categorical Data Analysis: heart attacks under placebo 189 of 11,034, under aspirin 104 of 11,037.
    found = risk_ratio(Table(11_034, 189, 11_037, 104))

    assert (round(found.value, 2), round(found.low, 2), round(found.high, 2)) == (1.82, 1.43, 2.31)


def test_the_lady_tasting_tea_gives_fishers_p() -> None:
    # Fisher, The Design of Experiments: 3 of 4 cups told apart; one-sided 0.243, two-sided 0.486.
    assert fisher_exact(Table(4, 3, 4, 1)) == pytest.approx(0.485714, abs=1e-6)


def test_the_example_of_benjamini_and_hochberg_keeps_its_four() -> None:
    p_values = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719,
                0.6528, 0.7590, 1.000]  # fmt: skip

    assert [rate <= 0.05 for rate in false_discovery_rates(p_values)] == [True] * 4 + [False] * 11


@given(tables())
def test_ratio_and_interval_agree_with_scipy(table: Table) -> None:
    if 0 in (table.with_converted, table.without_converted):
        return
    theirs = relative_risk(table.with_converted, table.with_count, table.without_converted, table.without_count)
    ours = risk_ratio(table)

    assert ours.value == pytest.approx(theirs.relative_risk)
    low, high = theirs.confidence_interval()
    assert (ours.low, ours.high) == (pytest.approx(low), pytest.approx(high))


@given(tables())
def test_a_ratio_lies_inside_its_interval_and_swaps_into_its_inverse(table: Table) -> None:
    ratio = risk_ratio(table)
    swapped = risk_ratio(Table(table.without_count, table.without_converted, table.with_count, table.with_converted))

    assert 0 < ratio.low <= ratio.value * (1 + 1e-12) and ratio.value <= ratio.high * (1 + 1e-12)
    assert swapped.value == pytest.approx(1 / ratio.value)
    assert swapped.low == pytest.approx(1 / ratio.high)


@given(tables())
def test_p_values_agree_with_scipy(table: Table) -> None:
    cells = [
        [table.with_converted, table.with_count - table.with_converted],
        [table.without_converted, table.without_count - table.without_converted],
    ]
    expected = [
        row * column / sum(map(sum, cells))
        for row in map(sum, cells)
        for column in map(sum, zip(*cells, strict=True))
    ]

    if min(expected) < 5:
        assert p_value(table) == pytest.approx(stats.fisher_exact(cells).pvalue, abs=1e-6)
    else:
        assert p_value(table) == pytest.approx(stats.chi2_contingency(cells, correction=False).pvalue, abs=1e-9)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_false_discovery_rates_agree_with_scipy(p_values: list[float]) -> None:
    assert false_discovery_rates(p_values) == pytest.approx(list(stats.false_discovery_control(p_values)))


def test_no_candidates_have_no_rates() -> None:
    assert false_discovery_rates([]) == []


def test_a_ratio_of_means_has_the_interval_of_the_delta_method() -> None:
    ours = mean_ratio(Moments(4, 40, 420), Moments(5, 25, 135))

    assert ours is not None
    # variances 20/3 and 10/4, standard errors² 5/3 and 1/2 over the means' squares 100 and 25
    spread = 1.959963984540054 * math.sqrt(5 / 300 + 0.5 / 25)
    assert ours.value == 2
    assert (ours.low, ours.high) == (pytest.approx(2 * math.exp(-spread)), pytest.approx(2 * math.exp(spread)))


@pytest.mark.parametrize("other", [Moments(0, 0, 0), Moments(3, 0, 0), Moments(2, -4, 10)])
def test_means_that_are_not_positive_have_no_ratio(other: Moments) -> None:
    assert mean_ratio(Moments(4, 40, 420), other) is None


def test_values_that_do_not_vary_have_no_spread() -> None:
    ours = mean_ratio(Moments(3, 9, 27), Moments(1, 3, 9))

    assert ours is not None
    assert (ours.value, ours.low, ours.high) == (1, 1, 1)


def test_silhouettes_have_words() -> None:
    assert [silhouette_words(score) for score in (0.9, 0.6, 0.3)] == [
        "clearly apart",
        "reasonably apart",
        "weakly apart",
    ]
