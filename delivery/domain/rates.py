"""How sure a rate is: bounds by Wilson's score interval (Wilson 1927, eq. for one side), exact at 0 and at n.

A raw rate over a dozen mails says nothing; nothing here promotes, pauses or recovers by it alone.
"""

from __future__ import annotations

import math

SURE = 1.6449  # one-sided 95 %: for steps that hurt when they are wrong
FAIRLY_SURE = 1.2816  # one-sided 90 %


def rate(bad: int, sent: int) -> float:
    """The plain share, 0 without any."""
    return bad / sent if sent else 0.0


def lower(bad: int, sent: int, z: float = SURE) -> float:
    """The rate is hardly smaller than this; 0 without any."""
    return _bound(bad, sent, -z) if bad else 0.0


def upper(bad: int, sent: int, z: float = FAIRLY_SURE) -> float:
    """The rate is hardly greater than this; 1 without any."""
    return _bound(bad, sent, z) if bad < sent else 1.0


def _bound(bad: int, sent: int, z: float) -> float:
    share, square = bad / sent, z * z
    spread = z * math.sqrt(share * (1 - share) / sent + square / (4 * sent * sent))
    return min(1.0, max(0.0, (share + square / (2 * sent) + spread) / (1 + square / sent)))


def enough(bad: int, limit: float, z: float = FAIRLY_SURE) -> int:
    """The fewest mails for which `bad` of them keep the upper bound below `limit`."""
    low, high = bad + 1, max(2 * (bad + 1), 64)
    while upper(bad, high, z) >= limit:
        low, high = high, high * 2
    while low < high:
        middle = (low + high) // 2
        if upper(bad, middle, z) < limit:
            high = middle
        else:
            low = middle + 1
    return low
