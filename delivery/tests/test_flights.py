"""A crash leaves a moment's work uncertain, whatever a message takes."""

from __future__ import annotations

import pytest

from delivery.domain.flights import FIRST, next_size


@pytest.mark.parametrize(
    ("seconds_per_message", "sizes"),
    [
        (0.0002, [50, 100, 200, 200]),  # a server next door
        (0.001, [50, 100, 100, 100]),
        (0.004, [50, 25, 25, 25]),
        (0.1, [50, 10, 10, 10]),  # an HTTP API far away
        (0.0, [50, 100, 200, 200]),
    ],
)
def test_flights_grow_and_shrink_with_the_provider(seconds_per_message: float, sizes: list[int]) -> None:
    found = [FIRST]
    while len(found) < len(sizes):
        found.append(next_size(found[-1], found[-1] * seconds_per_message))

    assert found == sizes


def test_one_at_a_time_never_becomes_none() -> None:
    assert next_size(1, 30.0) == 2
