"""By what lines are judged for an organisation: the general ranker, in the language of the lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from campaigns.copy import ranker
from campaigns.copy.ranker import Ranker


@dataclass(frozen=True)
class Judge:
    ranker: Ranker
    language: str

    def scores(self, lines: Sequence[str]) -> list[float]:
        """Relative: 0.1 more means about 10 % more clicks."""
        return [float(score) for score in self.ranker.scores(lines, self.language)]

    def to_win(self, scores: Sequence[float]) -> list[float]:
        """Each line's chance against another one of the same list."""
        return [float(chance) for chance in self.ranker.to_win(np.array(scores))]


def judge_for(language: str) -> Judge:
    return Judge(ranker.general(), language)
