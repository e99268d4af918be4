"""How likely each arm is the best, and what a wrong choice would cost: the Bayesian read-out.

Every arm's true value has a posterior of its own. Chances and losses are integrals over one dimension, whatever the
number of arms, computed on a grid: no random numbers, the same answer every time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from common.later import later
from experiments.domain.estimates import Estimate
from experiments.domain.moments import Moments

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from scipy import special

    Numbers = NDArray[np.float64]
else:
    np = later("numpy")
    special = later("scipy.special")

NODES = 401
TAILS = 9.0  # standard deviations on each side of a grid


@dataclass(frozen=True)
class Standing:
    """One arm among all: `to_be_best` from 0 to 1, and the `expected_loss` in the metric's unit: how much less it
    gives than the best one, on average over what may be true."""

    to_be_best: float
    expected_loss: float
    mean: float
    low: float  # 95 % of the posterior lies between
    high: float


def of_means(arms: Sequence[Estimate]) -> list[Standing]:
    """From a flat prior: normal posteriors around the estimates. Raises ValueError without an arm."""
    means = np.array([arm.value for arm in arms])
    errors = np.sqrt([max(arm.variance, np.finfo(float).tiny) for arm in arms])
    grid = _grid(means - TAILS * errors, means + TAILS * errors)
    centred = (grid - means[:, None]) / errors[:, None]
    densities = np.exp(-0.5 * centred**2) / (errors[:, None] * np.sqrt(2 * np.pi))
    spans = zip(means - 1.959964 * errors, means + 1.959964 * errors, strict=True)
    return _standings(grid, densities, special.ndtr(centred), means, list(spans))


def of_shares(arms: Sequence[Moments]) -> list[Standing]:
    """Of metrics that are 0 or 1, from a uniform prior: Beta(1 + did, 1 + did not)."""
    did = np.array([1 + arm.y for arm in arms], dtype=float)
    did_not = np.array([1 + arm.n - arm.y for arm in arms], dtype=float)
    means = did / (did + did_not)
    errors = np.sqrt(means * (1 - means) / (did + did_not + 1))
    grid = _grid(np.maximum(means - TAILS * errors, 1e-15), np.minimum(means + TAILS * errors, 1 - 1e-15))
    logarithms = (did[:, None] - 1) * np.log(grid) + (did_not[:, None] - 1) * np.log1p(-grid)
    densities = np.exp(logarithms - special.betaln(did, did_not)[:, None])
    below = special.betainc(did[:, None], did_not[:, None], grid)
    spans = zip(special.betaincinv(did, did_not, 0.025), special.betaincinv(did, did_not, 0.975), strict=True)
    return _standings(grid, densities, below, means, list(spans))


def _grid(lows: Numbers, highs: Numbers) -> Numbers:
    """Points where any of the posteriors lives: a narrow one gets as many as a wide one."""
    if not len(lows):
        raise ValueError("Without an arm there is nothing to compare.")
    return np.unique(np.concatenate([np.linspace(low, high, NODES) for low, high in zip(lows, highs, strict=True)]))


def _standings(
    grid: Numbers, densities: Numbers, below: Numbers, means: Numbers, spans: Sequence[tuple[float, float]]
) -> list[Standing]:
    """Rows of `densities` and `below` (the distribution functions) are arms, columns points of the grid."""
    chances = []
    best = 0.0
    for place in range(len(means)):
        others = np.prod(np.delete(below, place, axis=0), axis=0)
        weight = densities[place] * others
        chances.append(float(np.trapezoid(weight, grid)))
        best += float(np.trapezoid(grid * weight, grid))
    whole = sum(chances)
    return [
        Standing(chance / whole, max(best / whole - float(value), 0.0), float(value), float(low), float(high))
        for chance, value, (low, high) in zip(chances, means, spans, strict=True)
    ]
