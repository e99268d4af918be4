"""Sufficient statistics: what a read-out needs of an arm's people, however many they are.

Sums of a day add up to sums of a month, so nothing is ever counted again. Whole numbers (a conversion, cents) stay
whole numbers in Python, so no digit is lost however large the sums.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum


@dataclass(frozen=True)
class Moments:
    """Of `n` units, each with an outcome y and, where there is one, a companion x.

    x is what the unit did before the experiment (for CUPED), or the denominator of a ratio.
    """

    n: int = 0
    y: float = 0
    yy: float = 0
    x: float = 0
    xx: float = 0
    xy: float = 0

    def __add__(self, other: Moments) -> Moments:
        return Moments(
            self.n + other.n, self.y + other.y, self.yy + other.yy,
            self.x + other.x, self.xx + other.xx, self.xy + other.xy,
        )  # fmt: skip

    @property
    def mean(self) -> float:
        """Of y. Raises ValueError without a unit."""
        return _mean(self.n, self.y)

    @property
    def variance(self) -> float:
        """Of y over units, with n − 1. Raises ValueError below two units."""
        return _covariance(self.n, self.y, self.y, self.yy)

    @property
    def companion_mean(self) -> float:
        return _mean(self.n, self.x)

    @property
    def companion_variance(self) -> float:
        return _covariance(self.n, self.x, self.x, self.xx)

    @property
    def covariance(self) -> float:
        """Of x and y over units, with n − 1."""
        return _covariance(self.n, self.x, self.y, self.xy)


def of(ys: Sequence[float], xs: Sequence[float] | None = None) -> Moments:
    """The moments of single units: for tests and small data."""
    if xs is None:
        return Moments(len(ys), fsum(ys), fsum(y * y for y in ys))
    return Moments(
        len(ys), fsum(ys), fsum(y * y for y in ys), fsum(xs), fsum(x * x for x in xs),
        fsum(x * y for x, y in zip(xs, ys, strict=True)),
    )  # fmt: skip


def _mean(n: int, total: float) -> float:
    if n < 1:
        raise ValueError("An arm without people has no mean.")
    return total / n


def _covariance(n: int, one: float, other: float, product: float) -> float:
    if n < 2:
        raise ValueError("One person tells nothing of the spread.")
    # Exact for whole numbers, for which this difference would lose every digit in floating point.
    return (n * product - one * other) / (n * (n - 1))
