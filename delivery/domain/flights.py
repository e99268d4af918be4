"""How many messages leave between two commits: about a moment's work, however fast or slow a provider is.

A flight is the most that a crash can leave uncertain, and each costs a transaction. A fixed number would be too few
for a server next door, and seconds of doubt behind a slow one.
"""

from __future__ import annotations

FIRST = 50
SMALLEST, LARGEST = 10, 200
GOAL_SECONDS = 0.1


def next_size(size: int, seconds: float) -> int:
    """How many fly next, after `size` messages took `seconds`; at most twice as many as before."""
    fitting = int(size * GOAL_SECONDS / max(seconds, 0.001))
    return min(max(fitting, SMALLEST), 2 * size, LARGEST)
