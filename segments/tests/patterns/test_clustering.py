"""Clusters that are there are found, described by bounds that hold, and the same every time."""

from __future__ import annotations

import random

import pytest

from segments.domain.clustering import Bound, Cluster, ClusteringFailed, Request, cluster, cluster_apart


def is_inside(row: list[float], found: Cluster) -> bool:
    return any(
        all(
            (bound.low is None or row[bound.feature] > bound.low)
            and (bound.high is None or row[bound.feature] <= bound.high)
            for bound in box
        )
        for box in found.boxes
    )


def three_groups() -> list[list[float]]:
    draw = random.Random(7)
    centres = [(1, 20), (30, 25), (28, 900)]
    return [[max(0, draw.gauss(x, 0.5)), draw.gauss(y, y / 20), 4.0] for x, y in centres for _ in range(40)]


def test_groups_that_are_there_are_found_and_described() -> None:
    rows = three_groups()
    answer = cluster(Request(rows))

    assert sorted(found.members for found in answer.clusters) == [
        list(range(40)), list(range(40, 80)), list(range(80, 120))
    ]  # fmt: skip
    assert max(answer.silhouettes, key=answer.silhouettes.__getitem__) == 3
    for found in answer.clusters:
        assert [number for number, row in enumerate(rows) if is_inside(row, found)] == found.members
        assert all(bound.feature != 2 for box in found.boxes for bound in box)


def test_a_process_of_its_own_gives_the_same_answer() -> None:
    request = Request(three_groups())

    assert cluster_apart(request) == cluster(request)


@pytest.mark.parametrize("rows", [[], [[1.0, 2.0]], [[1.0, 2.0]] * 50, [[0.0]] * 9])
def test_nothing_that_varies_gives_no_clusters(rows: list[list[float]]) -> None:
    assert cluster(Request(rows)).clusters == []


def test_every_person_is_in_exactly_one_box() -> None:
    draw = random.Random(3)
    rows = [[draw.expovariate(0.1), draw.expovariate(0.01)] for _ in range(300)]
    answer = cluster(Request(rows))

    assert all(sum(is_inside(row, found) for found in answer.clusters) == 1 for row in rows)


def test_a_process_that_fails_says_why() -> None:
    with pytest.raises(ClusteringFailed, match="Expected"):
        cluster_apart(Request([["a"]]))  # type: ignore[list-item]


def test_touching_boxes_become_one() -> None:
    from segments.domain.clustering import _merged

    assert _merged([[Bound(0, None, 3), Bound(1, 5, None)], [Bound(0, 3, 9), Bound(1, 5, None)]]) == [
        [Bound(0, None, 9), Bound(1, 5, None)]
    ]
    assert _merged([[Bound(0, None, 3)], [Bound(0, 4, None)]]) == [[Bound(0, None, 3)], [Bound(0, 4, None)]]
