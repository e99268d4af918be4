"""Arms whose shares changed along the way: compared within each span of constant shares, then put together.

A bandit sends more people to what works, so an arm may have most of its people in good weeks; all its people together
would flatter it. Within one span everybody had the same chances, so its means are fair, and each span counts with its
people: inverse propensity weights with the propensities as they came out (Hirano, Imbens, Ridder 2003). Conditional
on what was before, each span's estimate is normal around the truth whatever the bandit saw (Zhang, Janson, Murphy
2020, "Inference for Batched Bandits"); no share is below `bandits.LEAST`, so every span tells of every arm.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import add

from experiments.domain.estimates import Estimate
from experiments.domain.moments import Moments

Stratum = Sequence[Moments]  # one of each arm
ENOUGH = 10  # people of every arm, for a span to speak for itself


def weighted(strata: Sequence[Stratum], estimate: Callable[[Stratum], Sequence[Estimate]]) -> list[Estimate]:
    """`estimate` of the arms in each span, weighted by the people of the span.

    Raises ValueError as `estimate` does where people are too few.
    """
    spans = joined(strata)
    people = [sum(arm.n for arm in span) for span in spans]
    whole = sum(people)
    parts = [estimate(span) for span in spans]
    result = []
    for place in range(len(spans[0])):
        arm = [part[place] for part in parts]
        shares = [count / whole if whole else 1.0 for count in people]
        value = sum(share * one.value for share, one in zip(shares, arm, strict=True))
        variance = sum(share * share * one.variance for share, one in zip(shares, arm, strict=True))
        result.append(Estimate(value, variance, sum(one.n for one in arm)))
    return result


def joined(strata: Sequence[Stratum]) -> list[Stratum]:
    """The spans in their order, those with too few people together with the next ones."""
    if not strata:
        raise ValueError("Without people there is nothing to compare.")
    spans: list[Stratum] = []
    waiting: Stratum | None = None
    for stratum in strata:
        waiting = stratum if waiting is None else _together(waiting, stratum)
        if all(arm.n >= ENOUGH for arm in waiting):
            spans.append(waiting)
            waiting = None
    if waiting is not None:
        spans = [*spans[:-1], _together(spans[-1], waiting)] if spans else [waiting]
    return spans


def total(strata: Sequence[Stratum]) -> Stratum:
    """All spans as one."""
    whole = strata[0]
    for stratum in strata[1:]:
        whole = _together(whole, stratum)
    return whole


def _together(one: Stratum, other: Stratum) -> Stratum:
    return list(map(add, one, other))
