"""Sample ratio mismatch: did the arms get the people that they were meant to get?

If they did not, something lets people of one arm vanish, and every other number of the experiment is worth nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log
from typing import TYPE_CHECKING

from common.later import later

if TYPE_CHECKING:
    from scipy import special
else:
    special = later("scipy.special")

ALARM = 0.001  # every experiment is looked at every day, so a false alarm is to be rare
# How much the prior believes in the intended split, in people: near what real leaks look like.
CONCENTRATION = 2_000.0


@dataclass(frozen=True)
class Balance:
    """`p_value` is for one look; `p_at_any_time` holds however often one looks."""

    expected: list[float]
    p_value: float
    p_at_any_time: float

    @property
    def is_off(self) -> bool:
        return self.p_at_any_time < ALARM


def check(counts: Sequence[int], weights: Sequence[float]) -> Balance:
    """`counts` of people by arm, and the share that each was meant to get. Raises ValueError.

    One look: Pearson's chi-squared, as scipy's chisquare. Any time: the mixture of Lindon and Malek (2022),
    "Anytime-Valid Inference for Multinomial Count Data": a Dirichlet prior around the weights.
    """
    if len(counts) != len(weights) or any(weight <= 0 for weight in weights):
        raise ValueError("Every arm has a weight above 0.")
    total, whole = sum(counts), sum(weights)
    shares = [weight / whole for weight in weights]
    expected = [total * share for share in shares]
    if not total or len(counts) < 2:
        return Balance(expected, 1.0, 1.0)
    distance = sum((seen - wanted) ** 2 / wanted for seen, wanted in zip(counts, expected, strict=True))
    evidence = _log_evidence(counts, shares)
    return Balance(expected, float(special.chdtrc(len(counts) - 1, distance)), min(1.0, exp(-max(evidence, -1.0))))


def _log_evidence(counts: Sequence[int], shares: Sequence[float]) -> float:
    """The logarithm of how much likelier the counts are under the mixture than under the intended shares."""
    priors = [CONCENTRATION * share for share in shares]
    mixture = float(special.gammaln(CONCENTRATION) - special.gammaln(CONCENTRATION + sum(counts)))
    for seen, prior, share in zip(counts, priors, shares, strict=True):
        mixture += float(special.gammaln(prior + seen) - special.gammaln(prior)) - seen * log(share)
    return mixture
