"""Groups of people who behave alike, and a shallow tree that says who belongs to which. Needs scikit-learn.

It runs as a process of its own (`python -m segments.domain.clustering`, a request on stdin, the answer on
stdout): numpy, scipy and scikit-learn take about 100 MB, which a worker would never give back.
"""

from __future__ import annotations

import math
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

SEED = 20_261_121
FEWEST, MOST = 2, 7  # groups that somebody can still tell apart
JUDGED = 2_000  # people on whom the silhouette is taken: it grows with the square
DEEPEST = 3
SMALLEST_SHARE = 0.01
LEAST_GAIN = 0.01  # a split of the tree must make its leaves this much purer
NEARLY_BEST = 0.9  # more groups say more, as long as their silhouette is nearly the best
SECONDS = 300
ROOT = Path(__file__).resolve().parents[2]


class Request(msgspec.Struct, frozen=True):
    """One row per person, one column per feature; what is skewed is taken by its logarithm."""

    rows: list[list[float]]
    seed: int = SEED


class Bound(msgspec.Struct, frozen=True):
    """`low < feature ≤ high`; either side may be open."""

    feature: int
    low: float | None = None
    high: float | None = None


class Cluster(msgspec.Struct, frozen=True):
    """`members` are row numbers. `boxes`: a person in any of them, by all of its bounds, belongs here."""

    members: list[int]
    boxes: list[list[Bound]]


class Answer(msgspec.Struct, frozen=True):
    """`silhouette` by number of clusters tried; no clusters when nothing varies."""

    clusters: list[Cluster]
    silhouettes: dict[int, float]


class ClusteringFailed(Exception):
    """The process ended without an answer."""


def cluster_apart(request: Request) -> Answer:
    """`cluster` in a process of its own. Raises `ClusteringFailed`, also after SECONDS."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "segments.domain.clustering"],
            input=msgspec.msgpack.encode(request),
            capture_output=True,
            timeout=SECONDS,
            cwd=ROOT,
            check=True,
        )
    except subprocess.TimeoutExpired as error:
        raise ClusteringFailed(f"No answer after {SECONDS} seconds.") from error
    except subprocess.CalledProcessError as error:
        raise ClusteringFailed(error.stderr.decode(errors="replace")[-2_000:]) from error
    return msgspec.msgpack.decode(done.stdout, type=Answer)


def cluster(request: Request) -> Answer:
    """K-means on standardised features, the number of groups by their silhouette (Rousseeuw 1987), then a tree.

    The same request gives the same answer.
    """
    # Here, not above: only the process that clusters pays for it.
    import numpy as np

    raw = np.asarray(request.rows, dtype=float)
    if raw.ndim != 2 or len(raw) <= MOST:
        return Answer([], {})
    logs = np.sign(raw) * np.log1p(np.abs(raw))
    spread = logs.std(axis=0)
    if not (spread > 0).any():
        return Answer([], {})
    scaled = ((logs - logs.mean(axis=0)) / np.where(spread > 0, spread, 1))[:, spread > 0]
    labels, silhouettes = _best(scaled, request.seed)
    return Answer(_described(raw, labels, request.seed) if silhouettes else [], silhouettes)


def _best(scaled: Any, seed: int) -> tuple[Any, dict[int, float]]:
    """Labels of the most groups whose silhouette is nearly the best, and the silhouette of each number."""
    import numpy as np
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score

    judged = np.random.default_rng(seed).permutation(len(scaled))[:JUDGED]
    different = len(np.unique(scaled, axis=0))
    tried: dict[int, Any] = {}
    silhouettes: dict[int, float] = {}
    for count in range(FEWEST, min(MOST, different - 1) + 1):
        labels = KMeans(count, n_init=5, random_state=seed).fit_predict(scaled)
        if not 1 < len(set(labels[judged])) < len(judged):
            continue
        silhouettes[count] = round(float(silhouette_score(scaled[judged], labels[judged])), 4)
        tried[count] = labels
    best = max(silhouettes.values(), default=0.0)
    near = [count for count, score in silhouettes.items() if score >= NEARLY_BEST * best]
    return (tried[max(near)] if near else None), silhouettes


def _described(raw: Any, labels: Any, seed: int) -> list[Cluster]:
    """Each group with the boxes of a tree over the features as they are, so that its bounds read as amounts."""
    from sklearn.tree import DecisionTreeClassifier

    leaf = max(5, math.ceil(SMALLEST_SHARE * len(raw)))
    tree = DecisionTreeClassifier(
        max_depth=DEEPEST, min_samples_leaf=leaf, class_weight="balanced", random_state=seed, ccp_alpha=LEAST_GAIN
    )
    grown = tree.fit(raw, labels).tree_
    boxes: dict[int, list[list[Bound]]] = {int(label): [] for label in sorted(set(labels))}
    for box, label in _leaves(grown, tree.classes_, 0, {}):
        boxes[label].append(box)
    return [
        Cluster([int(row) for row in (labels == label).nonzero()[0]], _merged(found))
        for label, found in boxes.items()
    ]


@dataclass(frozen=True)
class _Range:
    low: float | None = None
    high: float | None = None


def _leaves(tree: Any, classes: Any, node: int, box: dict[int, _Range]) -> Any:
    """Every leaf of the tree as (its bounds, its class)."""
    feature = int(tree.feature[node])
    if feature < 0:
        label = int(classes[tree.value[node][0].argmax()])
        yield [Bound(key, side.low, side.high) for key, side in sorted(box.items())], label
        return
    threshold = float(tree.threshold[node])
    side = box.get(feature, _Range())
    below = {**box, feature: _Range(side.low, threshold)}
    above = {**box, feature: _Range(threshold, side.high)}
    yield from _leaves(tree, classes, int(tree.children_left[node]), below)
    yield from _leaves(tree, classes, int(tree.children_right[node]), above)


def _merged(boxes: list[list[Bound]]) -> list[list[Bound]]:
    """Two boxes that differ only in touching ranges of one feature become one."""
    for one in boxes:
        for other in boxes:
            if one is not other and (joined := _joined(one, other)) is not None:
                return _merged([*(box for box in boxes if box is not one and box is not other), joined])
    return boxes


def _joined(one: list[Bound], other: list[Bound]) -> list[Bound] | None:
    mine, theirs = {bound.feature: bound for bound in one}, {bound.feature: bound for bound in other}
    apart = [key for key in mine.keys() | theirs.keys() if mine.get(key) != theirs.get(key)]
    if len(apart) != 1 or apart[0] not in mine or apart[0] not in theirs:
        return None
    lower, upper = mine[apart[0]], theirs[apart[0]]
    if lower.high is None or lower.high != upper.low:
        return None
    whole = [] if lower.low is None and upper.high is None else [Bound(apart[0], lower.low, upper.high)]
    return sorted([*(mine[key] for key in mine if key != apart[0]), *whole], key=lambda bound: bound.feature)


if __name__ == "__main__":
    sys.stdout.buffer.write(
        msgspec.msgpack.encode(cluster(msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Request)))
    )
