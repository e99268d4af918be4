"""How good a ranker is, as figures: for the model card, the commands and the benchmark."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from campaigns.copy import training
from campaigns.copy.ranker import Ranker
from campaigns.copy.training import Accuracy, Flags, Numbers, Pairs


@dataclass(frozen=True)
class Judged:
    """Accuracy over all pairs, and over those with a difference that is hardly chance."""

    name: str
    all_pairs: Accuracy
    sure_pairs: Accuracy


def held_out(pairs: Pairs) -> Flags:
    """The pairs that no choice was made by; tests with a common headline stay together."""
    return np.asarray(training.share(training.groups(pairs)) >= 100 - training.HELD_OUT_PERCENT)


def judge(name: str, pairs: Pairs, told: Numbers, asked: Flags) -> Judged:
    sure = asked & pairs.is_sure
    return Judged(name, training.accuracy(pairs, told, asked), training.accuracy(pairs, told, sure))


def unseen(pairs: Pairs) -> list[Judged]:
    """Cross-validation over the tests that are not held out, then the held-out ones by a ranker fitted without them,
    each beside the baselines."""
    kept, known, names = held_out(pairs), training.table(pairs.lines), training.groups(pairs)
    by_fold = training.cross_validated(pairs, known, ~kept, names)
    weights = training.fit(pairs, known, ~kept)
    return [
        judge("cross-validated", pairs, by_fold, ~kept),
        *(judge(f"cross-validated, {name}", pairs, told, ~kept) for name, told in _baselines(pairs)),
        judge("held out", pairs, training.foretold(pairs, known, weights), kept),
        *(judge(f"held out, {name}", pairs, told, kept) for name, told in _baselines(pairs)),
    ]


def of_ranker(ranker: Ranker, pairs: Pairs) -> list[Judged]:
    """A finished ranker on every pair of these tests."""
    everything = np.ones(len(pairs), dtype=bool)
    return [
        judge("this ranker", pairs, training.judged(ranker, pairs), everything),
        *(judge(name, pairs, told, everything) for name, told in _baselines(pairs)),
    ]


def _baselines(pairs: Pairs) -> list[tuple[str, Numbers]]:
    return [(name, training.baseline(pairs, measure)) for name, measure in training.BASELINES.items()]


def lines(found: list[Judged]) -> list[str]:
    """A table in Markdown; chance is 50 % in both columns."""
    return [
        "| ranker | pairs with a sure difference | all pairs |",
        "|---|---|---|",
        *(f"| {each.name} | {each.sure_pairs} | {each.all_pairs} |" for each in found),
    ]
