"""Do forecasts keep what they say? By simulation: how often intervals hold the next campaign.

Rates differ between campaigns of a house by chance and by more; sizes by a factor of forty. Each figure is the share
of simulated next campaigns inside the interval, over rates of opens, clicks and purchases, however few came before.
"""

from __future__ import annotations

from time import perf_counter

import numpy as np

from benchmarks import report
from benchmarks.report import Figure
from campaigns.domain import forecast
from campaigns.domain.forecast import Seen

SEED = 20_261_122
RATES = (0.25, 0.03, 0.002)
SPREADS = (0.1, 0.25, 0.5)  # of the logit between campaigns; 0.5 is three fifths up or down
LENGTHS = (1, 3, 10, 40)


def run(*, smoke: bool) -> None:
    runs = 12 if smoke else 400
    figures = report.told([figure for length in LENGTHS for figure in coverage(length, runs)])
    report.publish("forecast", [*figures, question_time()], {"this process": report.peak_megabytes()})


def coverage(length: int, runs: int) -> list[Figure]:
    """After so many campaigns: the share of next ones inside both intervals."""
    random, held, widely, asked = np.random.default_rng(SEED + length), 0, 0, 0
    for rate in RATES:
        for spread in SPREADS:
            for _ in range(runs):
                past, size, hits = _house(random, rate, spread, length)
                figure = forecast.summed_up(forecast.counts(past, size, seed=int(random.integers(2**31))))
                held += figure.holds(hits)
                widely += figure.lowest <= hits <= figure.highest
                asked += 1
    name = f"after {length} campaigns"
    return [_share(f"{name}, 80 % interval", held / asked, forecast.LEVEL, asked),
            _share(f"{name}, 95 % interval", widely / asked, forecast.WIDE, asked)]  # fmt: skip


def _house(random: np.random.Generator, rate: float, spread: float, length: int) -> tuple[list[Seen], int, int]:
    logits = np.log(rate / (1 - rate)) + spread * random.standard_normal(length + 1)
    sizes = np.exp(random.uniform(np.log(500), np.log(20_000), length + 1)).astype(int)
    hits = random.binomial(sizes, 1 / (1 + np.exp(-logits)))
    past = [Seen(int(size), int(hit)) for size, hit in zip(sizes[:-1], hits[:-1], strict=True)]
    return past, int(sizes[-1]), int(hits[-1])


def _share(name: str, share: float, nominal: float, asked: int) -> Figure:
    tolerance = 3 * (nominal * (1 - nominal) / asked) ** 0.5
    return Figure(name, 100 * share, "%", "said", 100 * nominal, "at least", share >= nominal - tolerance)


def question_time() -> Figure:
    """One metric from sixty campaigns, the most that are read."""
    random = np.random.default_rng(SEED)
    past, size, _ = _house(random, 0.03, 0.25, 60)
    started = perf_counter()
    forecast.summed_up(forecast.counts(past, size))
    milliseconds = 1_000 * (perf_counter() - started)
    return Figure("one metric from 60 campaigns", milliseconds, "ms", goal="≤ 100", is_met=milliseconds <= 100)
