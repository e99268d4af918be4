"""Learning a ranker from randomised tests of headlines, and judging it on tests it has not seen.

Two headlines of one test are compared under the same picture only, so nothing but the words differs. What is learned
is the relative difference of their click rates; a pair counts by how surely that is known (its variance, and `UNSEEN`
for what no words explain) and by the size of its test, so that many pairs of one test do not outvote the others.
A weighted ridge regression on differences of features: the linear form of Bradley & Terry's (1952) model that also
uses by how much one line won.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import minimize_scalar
from scipy.sparse.linalg import LinearOperator, cg
from scipy.special import log_ndtr

from campaigns.copy import features
from campaigns.copy.ranker import UNSEEN, Effect, Numbers, Ranker

# Found by cross-validation over the tests that are not held out; neighbours differ by less than chance.
PENALTY = 30.0
TRAIT_SHARE = 0.05
SURE = 1.96  # standard errors: pairs with a difference that is hardly chance
HELD_OUT_PERCENT = 15
FOLDS = 5
FURTHEST = 1.5  # differences of click rates beyond this are cut
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Arm:
    test: str
    headline: str
    picture: str
    shown: int
    clicked: int


@dataclass(frozen=True)
class Pairs:
    """Comparisons of two lines each. `difference` is (rate of first - rate of second) / common rate."""

    lines: list[str]
    tests: list[str]  # of each pair
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    difference: Numbers
    error: Numbers  # its standard error

    def __len__(self) -> int:
        return len(self.tests)

    @property
    def is_sure(self) -> Flags:
        return np.abs(self.difference) > SURE * self.error


def read(path: Path) -> list[Arm]:
    """The arms of a CSV with test_id, headline, image_id, impressions, clicks; gzipped or not."""
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8", newline="") as file:
        return [
            Arm(
                row["test_id"], features.plain(row["headline"]), row["image_id"],
                int(row["impressions"]), int(row["clicks"]),
            )
            for row in csv.DictReader(file)
        ]  # fmt: skip


def compare(arms: Iterable[Arm]) -> Pairs:
    """Every pair of different headlines that one test showed under the same picture."""
    seen: dict[str, dict[str, dict[str, list[int]]]] = defaultdict(lambda: defaultdict(dict))
    for arm in arms:
        count = seen[arm.test][arm.headline].setdefault(arm.picture, [0, 0])
        count[0] += arm.shown
        count[1] += arm.clicked
    lines: dict[str, int] = {}
    rows: list[tuple[str, int, int, float, float]] = []
    for test, headlines in seen.items():
        for place, (one, ones) in enumerate(headlines.items()):
            for other, others in list(headlines.items())[:place]:
                if (found := _difference(ones, others)) is not None:
                    pair = [lines.setdefault(line, len(lines)) for line in (one, other)]
                    rows.append((test, pair[0], pair[1], *found))
    tests, first, second, difference, error = zip(*rows, strict=True) if rows else ((), (), (), (), ())
    return Pairs(
        list(lines), list(tests), np.array(first, dtype=np.int64), np.array(second, dtype=np.int64),
        np.array(difference, dtype=float), np.array(error, dtype=float),
    )  # fmt: skip


def _difference(ones: Mapping[str, list[int]], others: Mapping[str, list[int]]) -> tuple[float, float] | None:
    """The relative difference and its standard error, pooled over the pictures that both had, surer ones first."""
    total = weights = 0.0
    for picture in ones.keys() & others.keys():
        (shown, clicked), (shown_other, clicked_other) = ones[picture], others[picture]
        if not shown or not shown_other:
            continue
        rate = (clicked + clicked_other + 1) / (shown + shown_other + 2)
        variance = (1 - rate) / rate * (1 / shown + 1 / shown_other)
        if variance > 0:
            total += (clicked / shown - clicked_other / shown_other) / rate / variance
            weights += 1 / variance
    return (total / weights, 1 / sqrt(weights)) if weights else None


# --- splitting ------------------------------------------------------------------------------------------------


def groups(pairs: Pairs) -> list[str]:
    """A name per pair: tests that share a headline belong together, or one would be seen before it is asked."""
    leader = {test: test for test in pairs.tests}

    def find(test: str) -> str:
        while leader[test] != test:
            leader[test] = leader[leader[test]]
            test = leader[test]
        return test

    home: dict[str, str] = {}
    for test, first, second in zip(pairs.tests, pairs.first, pairs.second, strict=True):
        for line in (pairs.lines[first].lower(), pairs.lines[second].lower()):
            leader[find(test)] = find(home.setdefault(line, test))
    return [find(test) for test in pairs.tests]


def share(names: Sequence[str]) -> NDArray[np.int64]:
    """0 to 99 for each name, the same for ever."""
    return np.array([int(hashlib.sha256(name.encode()).hexdigest()[:8], 16) % 100 for name in names])


# --- fitting --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Table:
    """Features of every line: traits in standard deviations and pieces, in one sparse matrix."""

    matrix: sparse.csr_matrix
    centre: Numbers
    scale: Numbers


def table(lines: Sequence[str]) -> Table:
    plain = np.array([features.traits(line) for line in lines])
    centre, scale = plain.mean(axis=0), np.maximum(plain.std(axis=0), 1e-3)
    found = [features.pieces(line) for line in lines]
    ends = np.cumsum([0, *(len(places) for places, _ in found)])
    made = sparse.csr_matrix(
        (np.concatenate([values for _, values in found]), np.concatenate([places for places, _ in found]), ends),
        shape=(len(lines), features.BUCKETS),
    )
    traits = sparse.csr_matrix((plain - centre) / scale * TRAIT_SHARE)
    return Table(sparse.hstack([traits, made]).tocsr(), centre, scale)


def fit(pairs: Pairs, known: Table, chosen: Flags) -> Numbers:
    """Weights of the columns of the table, from the chosen pairs alone."""
    where = np.flatnonzero(chosen)
    differences = known.matrix[pairs.first[where]] - known.matrix[pairs.second[where]]
    sizes = Counter(pairs.tests[place] for place in where)
    weights = 1 / (pairs.error[where] ** 2 + UNSEEN) / np.array([sizes[pairs.tests[place]] for place in where])
    weights /= weights.mean()
    aim = np.clip(pairs.difference[where], -FURTHEST, FURTHEST)
    system = LinearOperator(
        (differences.shape[1],) * 2,
        matvec=lambda vector: differences.T @ (weights * (differences @ vector)) + PENALTY * vector,
    )
    solved, _ = cg(system, differences.T @ (weights * aim), rtol=1e-4, maxiter=300)
    return np.asarray(solved)


def cross_validated(pairs: Pairs, known: Table, chosen: Flags, names: Sequence[str]) -> Numbers:
    """For each chosen pair the difference foretold by weights that never saw its test; NaN for the others."""
    told = np.full(len(pairs), np.nan)
    fold = share([f"fold:{name}" for name in names]) % FOLDS
    for number in range(FOLDS):
        asked = chosen & (fold == number)
        told[asked] = foretold(pairs, known, fit(pairs, known, chosen & (fold != number)))[asked]
    return told


def foretold(pairs: Pairs, known: Table, weights: Numbers) -> Numbers:
    scores = known.matrix @ weights
    return np.asarray(scores[pairs.first] - scores[pairs.second])


def calibrated(pairs: Pairs, told: Numbers) -> tuple[float, float]:
    """Slope and spread with which P(first is better) = Phi(slope * told / spread) fits the sure-and-unsure outcomes.

    Outcomes are noisy: the chance that the one measured higher is the truth is Phi(difference / error).
    """
    asked = ~np.isnan(told)
    slope = float(np.sum(told[asked] * pairs.difference[asked]) / max(np.sum(told[asked] ** 2), 1e-12))
    won = np.where(pairs.difference[asked] > 0, 1.0, -1.0)

    def loss(spread: float) -> float:
        whole = np.sqrt(spread**2 + pairs.error[asked] ** 2)
        return -float(np.mean(log_ndtr(won * slope * told[asked] / whole)))

    return slope, float(minimize_scalar(loss, bounds=(0.01, 2.0), method="bounded").x)


def trained(pairs: Pairs) -> Ranker:
    """A ranker from all of these pairs, its chances calibrated by cross-validation."""
    known = table(pairs.lines)
    everything = np.ones(len(pairs), dtype=bool)
    slope, spread = calibrated(pairs, cross_validated(pairs, known, everything, groups(pairs)))
    weights = fit(pairs, known, everything)
    count = len(features.NAMES)
    return Ranker(
        known.centre, known.scale, weights[:count] * TRAIT_SHARE, weights[count:], slope, spread, effects(pairs)
    )


def effects(pairs: Pairs) -> dict[str, Effect]:
    """What each trait that a line has or has not did, over the pairs in which just one had it.

    The interval takes pairs of one test as one observation (Liang & Zeger 1986).
    """
    has = np.array([features.traits(line) for line in pairs.lines]) > 0
    found = {}
    for place, name in enumerate(features.NAMES):
        sign = has[pairs.first, place].astype(int) - has[pairs.second, place].astype(int)
        if len({test for test, each in zip(pairs.tests, sign, strict=True) if each}) >= 30:
            found[name] = _effect(pairs, sign)
    return found


def _effect(pairs: Pairs, sign: NDArray[np.int64]) -> Effect:
    weights = (sign != 0) / (pairs.error**2 + UNSEEN)
    change = float(np.sum(weights * sign * pairs.difference) / np.sum(weights))
    sums: dict[str, float] = defaultdict(float)
    for test, left in zip(pairs.tests, weights * sign * (pairs.difference - sign * change), strict=True):
        sums[test] += float(left)
    error = sqrt(sum(each**2 for each in sums.values())) / float(np.sum(weights))
    return Effect(
        round(change, 4), round(change - 1.96 * error, 4), round(change + 1.96 * error, 4), int(np.sum(sign != 0))
    )


# --- judging --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Accuracy:
    """The share of pairs whose better line was named, with a 95 % interval over tests; half for a tie."""

    share: float
    low: float
    high: float
    pairs: int

    def __str__(self) -> str:
        return f"{self.share:.1%} ({self.low:.1%} to {self.high:.1%}) of {self.pairs:,} pairs"


def accuracy(pairs: Pairs, told: Numbers, asked: Flags) -> Accuracy:
    """How often the sign of `told` is that of the outcome. Pairs of one test are one observation in the interval."""
    where = np.flatnonzero(asked & (pairs.difference != 0))
    right = (np.sign(told[where]) * np.sign(pairs.difference[where]) + 1) / 2
    sums: dict[str, list[float]] = defaultdict(list)
    for place, value in zip(where, right, strict=True):
        sums[pairs.tests[place]].append(float(value))
    mean = float(np.mean(right))
    error = sqrt(sum(sum(value - mean for value in values) ** 2 for values in sums.values())) / len(right)
    return Accuracy(mean, mean - 1.96 * error, mean + 1.96 * error, len(right))


BASELINES: dict[str, Callable[[str], float]] = {
    "the longer one": len,
    "more words": lambda line: len(line.split()),
}


def baseline(pairs: Pairs, measure: Callable[[str], float]) -> Numbers:
    values = np.array([measure(line) for line in pairs.lines], dtype=float)
    return np.asarray(values[pairs.first] - values[pairs.second])


def judged(ranker: Ranker, pairs: Pairs) -> Numbers:
    """What a ranker foretells of every pair."""
    scores = ranker.scores(pairs.lines)
    return np.asarray(scores[pairs.first] - scores[pairs.second])
