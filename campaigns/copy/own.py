"""What an organisation's own tests of subjects say of lines: a Bayesian regression around the general ranker. Pure.

The score of a line is `a` times the general score plus `b` times its traits, with a ~ N(1, 0.5) and each
b ~ N(0, 0.05) before any test: without tests it is the general ranker. Each test moves both by what it showed and how
surely (conjugate normal update; the noise is the test's own error and what no words explain). The state is one matrix
of the size of the traits, however many tests there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import sqrt
from typing import TYPE_CHECKING, Any

from campaigns.copy import features
from campaigns.copy.ranker import UNSEEN, Numbers, Ranker
from common.later import later

if TYPE_CHECKING:
    import numpy as np
    from scipy import special
else:
    np = later("numpy")
    special = later("scipy.special")

TRUST = 0.5  # standard deviation of `a` around 1 before any test
MOST_OF_A_TRAIT = 0.05  # standard deviation of the effect of one standard deviation of a trait
LEAST_TESTS = 8
SURE = 1.2816  # one-sided 90 %
DIMENSIONS = 1 + len(features.NAMES)


@dataclass(frozen=True)
class OwnTest:
    """Subjects of one randomised test: each with how many got it and how many of them clicked."""

    subjects: Sequence[str]
    shown: Sequence[int]
    clicked: Sequence[int]
    language: str = "en"


@dataclass(frozen=True)
class Learnt:
    """What the tests left. `traits`: name → (tests it did well in, tests in which just one line had it)."""

    tests: int = 0
    pairs: int = 0
    general_right: float = 0.0
    own_right: float = 0.0
    gain: float = 0.0  # of logarithmic score a test, own less general, each foretold before it was seen
    gain_error: float = 0.0
    mean: list[float] = field(default_factory=list)
    traits: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def is_better(self) -> bool:
        """Whether, told before each test was seen, it surely did better than the general ranker."""
        return self.tests >= LEAST_TESTS and self.gain > SURE * self.gain_error

    def score(self, general: float, standard: Numbers) -> float:
        """A line's score from its general one and its traits in standard deviations."""
        return float(self.mean[0] * general + np.asarray(self.mean[1:]) @ standard) if self.mean else general

    def as_json(self) -> dict[str, Any]:
        return dict(vars(self))


def read(kept: dict[str, Any]) -> Learnt:
    """What `as_json` gave; nothing learnt where the traits have changed since."""
    known = {name: kept[name] for name in Learnt.__dataclass_fields__ if name in kept}
    if len(known.get("mean", ())) not in (0, DIMENSIONS):
        return Learnt()
    return Learnt(**known | {"traits": {name: tuple(each) for name, each in known.get("traits", {}).items()}})


def learn(tests: Iterable[OwnTest], ranker: Ranker) -> Learnt:
    """Take the tests in the order in which they began; each is foretold before it is learnt from."""
    precision = np.diag([1 / TRUST**2, *[1 / MOST_OF_A_TRAIT**2] * len(features.NAMES)])
    shift = np.zeros(DIMENSIONS)
    shift[0] = 1 / TRUST**2
    gains: list[float] = []
    right = np.zeros(2)
    pairs = 0
    traits: dict[str, tuple[int, int]] = {}
    for test in tests:
        rows = _rows(test, ranker)
        if rows is None:
            continue
        seen, differences, variances = rows
        mean = np.linalg.solve(precision, shift)
        gains.append(_gain(ranker, seen[:, 0], seen @ mean, differences, variances))
        right += [_right(seen[:, 0], differences), _right(seen @ mean, differences)]
        pairs += len(differences)
        noise = variances + UNSEEN
        share = 1 / len(differences)  # many lines of one test are no more tests
        precision += share * (seen / noise[:, None]).T @ seen
        shift += share * seen.T @ (differences / noise)
        _count(traits, test, differences)
    mean = np.linalg.solve(precision, shift)
    error = float(np.std(gains, ddof=1) / sqrt(len(gains))) if len(gains) > 1 else 0.0
    return Learnt(
        len(gains), pairs, float(right[0]), float(right[1]), float(np.mean(gains)) if gains else 0.0, error,
        [float(each) for each in mean], traits,
    )  # fmt: skip


def _rows(test: OwnTest, ranker: Ranker) -> tuple[Numbers, Numbers, Numbers] | None:
    """Each further subject against the first: differences of scores and traits, of click rates, their variance."""
    lines = [features.plain(subject) for subject in test.subjects]
    total, clicks = sum(test.shown), sum(test.clicked)
    if len(set(lines)) < 2 or min(test.shown) == 0 or not 0 < clicks < total:
        return None
    rate = clicks / total
    scores = ranker.scores(lines, test.language)
    standard = np.array([ranker.standard(line) for line in lines])
    seen = np.column_stack([scores[1:] - scores[0], standard[1:] - standard[0]])
    rates = np.array(test.clicked) / np.array(test.shown)
    parts = (1 - rate) / rate / np.array(test.shown)
    return seen, (rates[1:] - rates[0]) / rate, parts[1:] + parts[0]


def _gain(ranker: Ranker, general: Numbers, own: Numbers, differences: Numbers, variances: Numbers) -> float:
    """Logarithmic score of naming the better line: own less general, per pair of the test."""
    won = np.where(differences > 0, 1.0, -1.0)
    noise = np.sqrt(ranker.spread**2 + variances)
    scores = [np.log(special.ndtr(won * ranker.slope * each / noise)) for each in (own, general)]
    return float(np.mean(scores[0] - scores[1]))


def _right(told: Numbers, differences: Numbers) -> float:
    return float(np.sum((np.sign(told) * np.sign(differences) + 1) / 2))


def _count(traits: dict[str, tuple[int, int]], test: OwnTest, differences: Numbers) -> None:
    """For each trait that the first line or the second has alone: whether the one with it was clicked more."""
    one, other = (features.traits(features.plain(subject)) > 0 for subject in test.subjects[:2])
    for name, first, second in zip(features.NAMES, one, other, strict=True):
        if first != second:
            did_well = (differences[0] > 0) == bool(second)
            won, asked = traits.get(name, (0, 0))
            traits[name] = (won + int(did_well), asked + 1)
