"""How sure a share is that was counted in a sample."""

from __future__ import annotations

from math import sqrt

NORMAL_95 = 1.959963984540054


def wilson(hits: int, sampled: int, population: int) -> tuple[float, float]:
    """The 95 % interval of a share, 0 to 1 (Wilson 1927), for a sample drawn without putting back.

    The sample counts for more the closer it comes to everybody (finite population correction, Cochran 1977,
    eq. 2.19); a sample of everybody has no error left.
    """
    if sampled >= population or not sampled:
        share = hits / sampled if sampled else 0.0
        return share, share
    size = sampled * (population - 1) / (population - sampled)
    share, square = hits / sampled, NORMAL_95**2
    middle = (share + square / (2 * size)) / (1 + square / size)
    reach = NORMAL_95 * sqrt(share * (1 - share) / size + square / (4 * size**2)) / (1 + square / size)
    return max(0.0, middle - reach), min(1.0, middle + reach)
