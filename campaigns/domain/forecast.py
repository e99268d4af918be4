"""What a campaign will probably do, from what comparable ones did: intervals for this campaign, not for the mean.

Rates differ between campaigns by more than chance. Each campaign's rate is drawn from a beta distribution, its count
is binomial; mean and spread of that distribution are uncertain too and stay so (Gelman et al., Bayesian Data
Analysis, 3rd ed., section 5.3, on a grid). A campaign that is only somewhat alike counts as that part of a campaign
(Ibrahim & Chen 2000, power priors). Few campaigns therefore give wide intervals by themselves, and none gives none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from common.later import later

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from scipy import special

    Draws = NDArray[np.floating[Any]]
else:
    np = later("numpy")
    special = later("scipy.special")

ORDER_DAYS = 7  # a purchase counts for a campaign when it follows a click within a week
LEVEL = 0.8
WIDE = 0.95
DRAWS = 8_000
SEED = 5_318_008  # the same question gets the same answer
# How much rates differ between campaigns of one house, on the logit scale: half-Cauchy (Gelman 2006).
USUAL_SPREAD = 0.6
MEANS, SPREADS = 48, 20
SPREAD_RANGE = (0.03, 1.9)
NEGLIGIBLE = 1e-6
# How much the worth of an order differs between campaigns, on the log scale, as if seen in a few earlier ones.
USUAL_WORTH_SPREAD, WORTH_SEEN_BEFORE = 0.35, 3.0


@dataclass(frozen=True)
class Seen:
    """One past campaign: `hits` of `trials`, and how alike it is (0–1]."""

    trials: int
    hits: int
    likeness: float = 1.0


@dataclass(frozen=True)
class Earned:
    """What the orders of one past campaign were worth: count, sum, and sum of squares."""

    orders: int
    total: float
    squares: float
    likeness: float = 1.0


@dataclass(frozen=True)
class Range:
    """The middle, and where `LEVEL` (`low`–`high`) and `WIDE` (`lowest`–`highest`) of the outcomes lie."""

    middle: float
    low: float
    high: float
    lowest: float
    highest: float

    def holds(self, value: float) -> bool:
        """Whether what came lies between low and high."""
        return self.low <= value <= self.high


def counts(past: Sequence[Seen], trials: int, *, seed: int = SEED) -> Draws:
    """What the next campaign's count among `trials` may be, as draws. Needs at least one past campaign."""
    random = np.random.default_rng(seed)
    means, sizes, posterior = _posterior([seen for seen in past if seen.trials > 0])
    cells = random.choice(posterior.size, size=DRAWS, p=posterior)
    rates = random.beta(means[cells] * sizes[cells], (1 - means[cells]) * sizes[cells])
    return random.binomial(trials, np.clip(rates, 0.0, 1.0)).astype(float)


def worth(past: Sequence[Earned], orders: Draws, *, seed: int = SEED) -> Draws | None:
    """What so many orders may bring together; None when no past campaign brought one.

    The worth of an order, on the log scale, is normal between campaigns with unknown mean and variance: its
    prediction is a t distribution (Gelman et al., section 3.3, a few campaigns' worth of prior for the variance).
    What orders of one campaign differ among themselves comes on top.
    """
    paid = [earned for earned in past if earned.orders > 0 and earned.total > 0]
    if not paid:
        return None
    random = np.random.default_rng(seed + 1)
    weights = np.array([earned.likeness for earned in paid])
    logs = np.log([earned.total / earned.orders for earned in paid])
    seen, centre = float(weights.sum()), float(np.average(logs, weights=weights))
    freedom = WORTH_SEEN_BEFORE + max(0.0, seen - 1)
    squares = WORTH_SEEN_BEFORE * USUAL_WORTH_SPREAD**2 + float((weights * (logs - centre) ** 2).sum())
    scale = np.sqrt(squares / freedom * (1 + 1 / seen))
    within = np.sqrt(np.log1p(_variation(paid) / np.maximum(orders, 1)))
    each = centre + scale * random.standard_t(freedom, orders.size) + within * random.standard_normal(orders.size)
    brought: Draws = np.where(orders > 0, orders * np.exp(np.minimum(each, 700)), 0.0)
    return brought


def summed_up(draws: Draws) -> Range:
    """Middle and intervals of what was drawn."""
    inner, outer = (1 - LEVEL) / 2, (1 - WIDE) / 2
    middle, low, high, lowest, highest = np.quantile(draws, [0.5, inner, 1 - inner, outer, 1 - outer]).tolist()
    return Range(middle, low, high, lowest, highest)


def exactly(value: float) -> Range:
    """A figure that is counted and not foreseen."""
    return Range(value, value, value, value, value)


def _variation(paid: Sequence[Earned]) -> float:
    """Squared coefficient of variation of single orders."""
    orders, total = sum(each.orders for each in paid), sum(each.total for each in paid)
    squares, mean = sum(each.squares for each in paid), total / orders
    return max(0.0, squares / orders / mean**2 - 1)


def _posterior(past: Sequence[Seen]) -> tuple[Draws, Draws, Draws]:
    """Means, sizes (a + b of the beta) and probabilities of the grid's cells; first wide, then where it matters."""
    logits = np.linspace(-11.0, 6.0, MEANS)
    _, _, rough = _cells(past, logits)
    mass = rough.reshape(MEANS, SPREADS).sum(axis=1)
    kept = np.flatnonzero(mass > NEGLIGIBLE)
    step = logits[1] - logits[0]
    return _cells(past, np.linspace(logits[kept[0]] - step, logits[kept[-1]] + step, MEANS))


def _cells(past: Sequence[Seen], logits: Draws) -> tuple[Draws, Draws, Draws]:
    spreads = np.geomspace(*SPREAD_RANGE, SPREADS)
    grid, spread = (each.ravel() for each in np.meshgrid(logits, spreads, indexing="ij"))
    means = 1 / (1 + np.exp(-grid))
    # The beta distribution whose standard deviation is `spread` on the logit scale, to first order.
    sizes = np.maximum(1 / (means * (1 - means) * spread**2) - 1, 0.05)
    trials, hits, likeness = (np.array([getattr(seen, name) for seen in past], dtype=float)[:, None]
                              for name in ("trials", "hits", "likeness"))  # fmt: skip
    first, second = means * sizes, (1 - means) * sizes
    evidence = likeness * (special.betaln(hits + first, trials - hits + second) - special.betaln(first, second))
    # Jeffreys' prior for the mean; the spread's half-Cauchy; both per cell of a grid in logits and log spreads.
    prior = 0.5 * np.log(means * (1 - means)) + np.log(spread / (1 + (spread / USUAL_SPREAD) ** 2))
    log_posterior = evidence.sum(axis=0) + prior
    posterior = np.exp(log_posterior - log_posterior.max())
    return means, sizes, posterior / posterior.sum()
