"""Which of several lines more people would follow: weights learned from randomised tests of headlines.

The weights stand in `ranker.npz`; `MODEL_CARD.md` says from what they come, how good they are and where they are not.
`training` made them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from campaigns.copy import features
from common.later import later

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from scipy import special

    Numbers = NDArray[np.float64]
else:
    np = later("numpy")
    special = later("scipy.special")
    Numbers = Any

UNSEEN = 0.05  # variance of the relative difference that no words explain
FILE = Path(__file__).with_name("ranker.npz")
LANGUAGE = "en"  # of the tests it learned from


@dataclass(frozen=True)
class Effect:
    """What a trait did in the tests: relative change of the click rate where only one of two lines had it."""

    change: float
    low: float  # 95 %
    high: float
    pairs: int


@dataclass(frozen=True)
class Ranker:
    """Scores are relative: a difference of 0.1 between two lines means about 10 % more clicks.

    `slope` and `spread` turn such a difference into a chance (`chance`).
    """

    centre: Numbers
    scale: Numbers
    trait_weights: Numbers
    piece_weights: Numbers
    slope: float
    spread: float
    effects: dict[str, Effect] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)

    def scores(self, lines: Sequence[str], language: str = LANGUAGE) -> Numbers:
        """One number a line, comparable with those of the other lines only.

        In other languages than that of the tests words say nothing; only length, marks and numbers count.
        """
        known = language.lower().split("-")[0] in ("", LANGUAGE)
        return np.array([self._score(features.plain(line), known) for line in lines], dtype=float)

    def _score(self, line: str, knows_words: bool) -> float:
        score = float(self.standard(line) @ self.trait_weights)
        if knows_words:
            places, values = features.pieces(line)
            score += float(values @ self.piece_weights[places])
        return score

    def standard(self, line: str) -> Numbers:
        """The traits in standard deviations from the mean of the tests."""
        return (features.traits(line) - self.centre) / self.scale

    def chance(self, difference: Numbers | float) -> Any:
        """The chance that a line with so much more score really is clicked more often."""
        return special.ndtr(self.slope * np.asarray(difference) / self.spread)

    def to_win(self, scores: Numbers) -> Numbers:
        """Each line's chance against another one of the same list, on average; shape (len(scores),)."""
        if len(scores) < 2:
            return np.full(len(scores), 0.5)
        against = self.chance(scores[:, None] - scores[None, :])
        return (against.sum(axis=1) - 0.5) / (len(scores) - 1)


@cache
def general() -> Ranker:
    """The ranker that every organisation begins with."""
    return load(FILE)


def load(path: Path) -> Ranker:
    """Read a file that `save` wrote: arrays and JSON, nothing that could run."""
    with np.load(path, allow_pickle=False) as held:
        about = json.loads(str(held["about"]))
        return Ranker(
            centre=held["centre"].astype(float),
            scale=held["scale"].astype(float),
            trait_weights=held["trait_weights"].astype(float),
            piece_weights=held["piece_weights"] * float(held["step"]),
            slope=float(held["slope"]),
            spread=float(held["spread"]),
            effects={name: Effect(**each) for name, each in about.pop("effects").items()},
            about=about,
        )


def save(ranker: Ranker, path: Path) -> None:
    """Write the weights; those of pieces as whole numbers from -127 to 127, which costs no accuracy and is small."""
    step = max(float(np.abs(ranker.piece_weights).max()), 1e-12) / 127
    about = ranker.about | {"effects": {name: vars(effect) for name, effect in ranker.effects.items()}}
    np.savez_compressed(
        path,
        centre=ranker.centre.astype(np.float32),
        scale=ranker.scale.astype(np.float32),
        trait_weights=ranker.trait_weights.astype(np.float32),
        piece_weights=np.round(ranker.piece_weights / step).astype(np.int8),
        step=np.float64(step),
        slope=np.float64(ranker.slope),
        spread=np.float64(ranker.spread),
        about=np.str_(json.dumps(about)),
    )
