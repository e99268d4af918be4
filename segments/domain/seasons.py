"""Which quarter of a year is the busiest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

PERIOD_DAYS = 30
SEASON_PERIODS = 3
LEAST_SHARE = 1 / 3  # a quarter of the year with a third of the purchases
LEAST_PURCHASES = 100


@dataclass(frozen=True)
class Season:
    """Days count from the beginning of the twelve periods; `last_day` is inclusive."""

    first_day: int
    last_day: int
    share: float
    total: int

    @property
    def stands_out(self) -> bool:
        return self.total >= LEAST_PURCHASES and self.share >= LEAST_SHARE


def best_season(counts: Sequence[int]) -> Season:
    """The three neighbouring periods of twelve, oldest first, with the most purchases; the earliest of equals."""
    total = sum(counts)
    starts = range(len(counts) - SEASON_PERIODS + 1)
    best = max(starts, key=lambda start: (sum(counts[start : start + SEASON_PERIODS]), -start))
    share = sum(counts[best : best + SEASON_PERIODS]) / total if total else 0.0
    return Season(best * PERIOD_DAYS, (best + SEASON_PERIODS) * PERIOD_DAYS - 1, round(share, 4), total)
