"""Comparisons of two groups, with intervals, and what many comparisons at once may claim. Plain Python."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

Z95 = 1.959963984540054
SMALLEST_EXPECTED = 5  # below it the normal approximation of a 2 × 2 table is poor (Cochran 1954)


@dataclass(frozen=True)
class Interval:
    """An estimate with its 95 % confidence interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Table:
    """People with and without something, and how many of each converted."""

    with_count: int
    with_converted: int
    without_count: int
    without_converted: int

    @property
    def with_rate(self) -> float:
        return self.with_converted / self.with_count

    @property
    def without_rate(self) -> float:
        return self.without_converted / self.without_count


def risk_ratio(table: Table) -> Interval:
    """How many times as often the first group converts, with the log interval of Katz et al. 1978.

    Where a group has no conversion, half a person is added to each cell (Pettigrew et al. 1986).
    """
    half = 0.5 if 0 in (table.with_converted, table.without_converted) else 0.0
    one, other = table.with_converted + half, table.without_converted + half
    one_all, other_all = table.with_count + half, table.without_count + half
    ratio = (one / one_all) / (other / other_all)
    spread = Z95 * math.sqrt(max(0.0, 1 / one - 1 / one_all + 1 / other - 1 / other_all))
    return Interval(ratio, ratio * math.exp(-spread), ratio * math.exp(spread))


def mean_ratio(one: Moments, other: Moments) -> Interval | None:
    """The ratio of two independent means with its log interval (delta method); None unless both are positive."""
    if min(one.mean, other.mean) <= 0:
        return None
    spread = Z95 * math.sqrt(one.relative_variance + other.relative_variance)
    ratio = one.mean / other.mean
    return Interval(ratio, ratio * math.exp(-spread), ratio * math.exp(spread))


@dataclass(frozen=True)
class Moments:
    """Sufficient statistics of one group's values."""

    count: int
    total: float
    squares: float

    @property
    def mean(self) -> float:
        return self.total / self.count if self.count else 0.0

    @property
    def relative_variance(self) -> float:
        """The squared standard error of the mean over the squared mean."""
        if self.count < 2 or self.mean <= 0:
            return 0.0
        variance = max(0.0, (self.squares - self.total * self.mean) / (self.count - 1))
        return variance / self.count / self.mean**2


def p_value(table: Table) -> float:
    """Two-sided p of "both groups convert alike": pooled normal test, or Fisher's exact one for small tables."""
    converted = table.with_converted + table.without_converted
    everybody = table.with_count + table.without_count
    smallest = min(table.with_count, table.without_count) * min(converted, everybody - converted) / everybody
    if smallest < SMALLEST_EXPECTED:
        return fisher_exact(table)
    pooled = converted / everybody
    error = math.sqrt(pooled * (1 - pooled) * (1 / table.with_count + 1 / table.without_count))
    return math.erfc(abs(table.with_rate - table.without_rate) / error / math.sqrt(2))


def fisher_exact(table: Table) -> float:
    """Two-sided p of a 2 × 2 table with fixed margins: all tables as unlikely as this one or more (Fisher 1935)."""
    drawn, converted = table.with_count, table.with_converted + table.without_converted
    everybody = table.with_count + table.without_count
    lowest, highest = max(0, drawn + converted - everybody), min(drawn, converted)

    def chance(count: int) -> float:
        return math.exp(
            _log_choose(converted, count)
            + _log_choose(everybody - converted, drawn - count)
            - _log_choose(everybody, drawn)
        )

    observed = chance(table.with_converted) * (1 + 1e-7)  # equal ones differ by rounding
    return min(1.0, math.fsum(p for count in range(lowest, highest + 1) if (p := chance(count)) <= observed))


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def false_discovery_rates(p_values: Sequence[float]) -> list[float]:
    """Each p adjusted so that keeping those ≤ q bounds the share of false finds by q (Benjamini & Hochberg 1995)."""
    count = len(p_values)
    adjusted = [1.0] * count
    least = 1.0
    for rank, index in sorted(enumerate(sorted(range(count), key=p_values.__getitem__), 1), reverse=True):
        least = min(least, p_values[index] * count / rank)
        adjusted[index] = least
    return adjusted


def silhouette_words(score: float) -> str:
    """How clearly groups are apart, in the words of Kaufman & Rousseeuw 1990."""
    if score > 0.7:
        return "clearly apart"
    return "reasonably apart" if score > 0.5 else "weakly apart"
