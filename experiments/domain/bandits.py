"""Thompson sampling: each arm gets the share of people with which it is likely the best.

The share is the exact probability instead of one random draw per person, so it is known, can be logged with each
assignment, and results can later be weighed by it.
"""

from __future__ import annotations

from collections.abc import Sequence

from experiments.domain import posterior
from experiments.domain.estimates import Estimate
from experiments.domain.moments import Moments

LEAST = 0.01  # an arm that gets nobody could never be found to have become better


def shares(arms: Sequence[Moments], least: float = LEAST) -> list[float]:
    """The propensities of arms whose outcome is 0 or 1; they add up to 1, none is below `least`."""
    return _bounded([standing.to_be_best for standing in posterior.of_shares(arms)], least)


def shares_of_means(arms: Sequence[Estimate], least: float = LEAST) -> list[float]:
    """The same for arms whose outcome is an amount."""
    return _bounded([standing.to_be_best for standing in posterior.of_means(arms)], least)


def _bounded(chances: Sequence[float], least: float) -> list[float]:
    """Raises ValueError where so many arms cannot each have the least share."""
    if not 0 <= least * len(chances) <= 1:
        raise ValueError("So many arms cannot each have so large a share.")
    rest = 1 - least * len(chances)
    return [least + rest * chance for chance in chances]
