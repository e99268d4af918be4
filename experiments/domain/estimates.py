"""What an arm's metric is, and how sure that is: means, ratios, and means with CUPED."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add

from experiments.domain.moments import Moments


@dataclass(frozen=True)
class Estimate:
    """A metric of one arm: its value, the variance of that value (not of single people), and how many people."""

    value: float
    variance: float
    n: int

    @property
    def freedom(self) -> int:
        return self.n - 1


def mean(moments: Moments) -> Estimate:
    """Of a number per person: orders, cents, or 0 and 1 for a share. Raises ValueError below two people."""
    return Estimate(moments.mean, moments.variance / moments.n, moments.n)


def ratio(moments: Moments) -> Estimate:
    """Of two sums per person, y over x: cents an order, clicks a mail. People, not orders, are what was drawn.

    Delta method; Deng, Knoblich, Lu (2018), "Applying the Delta Method in Metric Analytics", equation 3.
    Raises ValueError below two people, or where nobody has a denominator.
    """
    if not moments.x:
        raise ValueError("A ratio over nothing has no value.")
    value = moments.y / moments.x
    spread = (
        moments.variance - 2 * value * moments.covariance + value * value * moments.companion_variance
    ) / moments.companion_mean**2
    return Estimate(value, max(spread, 0.0) / moments.n, moments.n)


def adjusted(arms: Sequence[Moments]) -> list[Estimate]:
    """The arms' means of y, less what x, known before the experiment, says about each of them (CUPED).

    One slope for all arms, from the spread within them: the difference of two arms stays unbiased, and its variance
    shrinks by the squared correlation of x and y. Deng, Xu, Kohavi, Walker (2013), section 3.
    """
    theta = slope(arms)
    centre = reduce(add, arms).companion_mean
    return [
        Estimate(
            each.mean - theta * (each.companion_mean - centre),
            max(each.variance - 2 * theta * each.covariance + theta * theta * each.companion_variance, 0.0) / each.n,
            each.n,
        )
        for each in arms
    ]


def slope(arms: Sequence[Moments]) -> float:
    """Of y on x within arms; 0 where x says nothing."""
    spread = sum((each.n - 1) * each.companion_variance for each in arms)
    return sum((each.n - 1) * each.covariance for each in arms) / spread if spread > 0 else 0.0


def variance_reduction(arms: Sequence[Moments]) -> float:
    """The share of the variance that `adjusted` takes away, from 0 to 1: the squared correlation within arms."""
    before = sum(mean(each).variance for each in arms)
    after = sum(each.variance for each in adjusted(arms))
    return 1 - after / before if before > 0 else 0.0
