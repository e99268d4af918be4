"""Many comparisons at once: of a hundred that show nothing, five look like something."""

from __future__ import annotations

from collections.abc import Sequence


def adjusted(p_values: Sequence[float]) -> list[float]:
    """p-values after Benjamini and Hochberg (1995), in the order given: below alpha, the share of false finds is too.

    Equals scipy's false_discovery_control.
    """
    count, smallest = len(p_values), 1.0
    result = [1.0] * count
    for rank, place in reversed(list(enumerate(sorted(range(count), key=p_values.__getitem__), 1))):
        smallest = min(smallest, p_values[place] * count / rank)
        result[place] = smallest
    return result
