"""Are the statistics of experiments true? By simulation: what is promised of errors, coverage, power and regret.

No servers are measured here; figures are shares of simulated experiments, beside what theory or the planner promises.
Every experiment is looked at on each of 28 days, and called at the first look that shows something.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import report
from benchmarks.report import Figure
from experiments.domain import balance, bandits, comparison, estimates, planner
from experiments.domain.moments import Moments

DAYS = 28
PEOPLE_A_DAY = 200  # new ones, in each arm
SEED = 20_261_121
Draw = Callable[[np.random.Generator, int], NDArray[Any]]


def run(*, smoke: bool) -> None:
    runs = 60 if smoke else 2_000
    figures = report.told([*errors(runs), *power(runs), *cuped(runs // 10), *leaks(runs), *regret(runs // 20)])
    report.publish("science", [*figures, read_out_time()], {"this process": report.peak_megabytes()})


def buys(random: np.random.Generator, count: int) -> NDArray[Any]:
    """Whether somebody buys: one in twenty."""
    return (random.random(count) < 0.05).astype(int)


def spends(random: np.random.Generator, count: int) -> NDArray[Any]:
    """Cents, as shops know them: nothing from most, much from few."""
    return np.where(random.random(count) < 0.2, random.lognormal(8, 1, count), 0).astype(int)


def errors(runs: int) -> list[Figure]:
    """A/A: the share that ever shows a difference, by the always-valid interval and by one that is not; and how often
    the interval of the last day holds the truth."""
    figures = []
    for name, draw in (("conversion", buys), ("money", spends)):
        random = np.random.default_rng(SEED)
        called, peeked, covered = 0, 0, 0
        for _ in range(runs):
            always, once = _looks(random, draw, draw)
            called += any(each.is_significant for each in always)
            peeked += any(each.is_significant for each in once)
            covered += not once[-1].is_significant
        figures += [
            _share(f"A/A {name}, ever called, always-valid", called, runs, at_most=0.05),
            Figure(f"A/A {name}, ever called, peeking at a fixed test", 100 * peeked / runs, "%"),
            _share(f"A/A {name}, coverage of one look", covered, runs, at_least=0.95),
        ]
    return figures


def power(runs: int) -> list[Figure]:
    """As many people as the planner asks for: how often the effect is found."""
    random, base, effect = np.random.default_rng(SEED), 0.05, 0.01
    people = planner.people_per_arm(planner.Metric(base), effect)
    found = 0
    for _ in range(runs):
        control, treatment = (
            Moments(people, count, count) for count in random.binomial(people, (base, base + effect)).tolist()
        )
        found += comparison.absolute(estimates.mean(control), estimates.mean(treatment)).is_significant
    return [Figure("power with the planner's people", 100 * found / runs, "%", "promised", 80.0,
                   "within 3", abs(found / runs - 0.8) <= 0.03)]  # fmt: skip


def cuped(runs: int) -> list[Figure]:
    """How much of the variance of the difference is really gone, beside the squared correlation."""
    random, correlation, people = np.random.default_rng(SEED), 0.7, 2_000
    raw, less = [], []
    for _ in range(runs):
        arms = []
        for _arm in range(2):
            before = random.normal(0, 1, people)
            after = correlation * before + sqrt(1 - correlation**2) * random.normal(0, 1, people)
            arms.append(_moments(after, before))
        raw.append(arms[1].mean - arms[0].mean)
        control, treatment = estimates.adjusted(arms)
        less.append(treatment.value - control.value)
    gone = float(1 - np.var(less) / np.var(raw))
    tolerance = 4 * (1 - correlation**2) * sqrt(2 / runs)
    return [Figure("variance that CUPED takes away", 100 * gone, "%", "squared correlation",
                   100 * correlation**2, "as theory says", abs(gone - correlation**2) <= tolerance)]  # fmt: skip


def leaks(runs: int) -> list[Figure]:
    """Daily looks at the split, 80 000 people a day: of an even one, and where one arm loses one in a hundred."""
    random, figures = np.random.default_rng(SEED), []
    for name, lost in (("false alarms of an even split", 0.0), ("alarms at a leak of 1 %", 0.01)):
        alarms = 0
        for _ in range(runs):
            first = random.binomial(80_000, 0.5, DAYS)
            second = random.binomial(80_000 - first, 1 - lost)
            counts = np.cumsum(np.column_stack([first, second]), axis=0)
            alarms += any(balance.check(row, [1, 1]).is_off for row in counts.tolist())
        bounds = {"at_least": 0.95} if lost else {"at_most": balance.ALARM}
        figures.append(_share(f"split, {name}", alarms, runs, **bounds))
    return figures


def regret(runs: int) -> list[Figure]:
    """Conversions lost by not knowing the best of five arms over 100 000 people, in blocks of 500."""
    truth = np.array([0.05, 0.055, 0.06, 0.05, 0.07])
    ways = {"Thompson": _thompson, "epsilon-greedy": _greedy, "uniform": _uniform}
    lost = dict.fromkeys(ways, 0.0)
    for name, choose in ways.items():
        random = np.random.default_rng(SEED)
        for _ in range(runs):
            lost[name] += _lost(random, truth, choose) / runs
    thompson = lost["Thompson"]
    return [
        Figure(
            "regret of Thompson's shares", thompson, "conversions", name, lost[name], "below", thompson < lost[name]
        )
        for name in ("epsilon-greedy", "uniform")
    ]


def read_out_time() -> Figure:
    """Three arms and one metric from sufficient statistics, as of 10 M exposures: everything a page shows."""
    arms = [Moments(3_333_333, count, count) for count in (166_000, 167_000, 169_000)]
    started = time.perf_counter()
    means = [estimates.mean(arm) for arm in arms]
    for treatment in means[1:]:
        comparison.relative(means[0], treatment)
        comparison.relative_at_any_time(means[0], treatment)
    bandits.shares(arms)
    balance.check([arm.n for arm in arms], [1, 1, 1])
    milliseconds = (time.perf_counter() - started) * 1000
    return Figure("read-out of 10 M exposures, the statistics alone", milliseconds, "ms", goal="≤ 200 ms",
                  is_met=milliseconds <= 200)  # fmt: skip


def _looks(random: np.random.Generator, one: Draw, other: Draw) -> tuple[list[Any], list[Any]]:
    arms = [_cumulated(draw(random, DAYS * PEOPLE_A_DAY)) for draw in (one, other)]
    pairs = [tuple(estimates.mean(arm) for arm in day) for day in zip(*arms, strict=True)]
    always = [comparison.absolute_at_any_time(*pair) for pair in pairs]
    return always, [comparison.absolute(*pair) for pair in pairs]


def _cumulated(values: NDArray[Any]) -> list[Moments]:
    days = values.reshape(DAYS, PEOPLE_A_DAY)
    sums, squares = np.cumsum(days.sum(axis=1)).tolist(), np.cumsum((days**2).sum(axis=1)).tolist()
    return [
        Moments((day + 1) * PEOPLE_A_DAY, total, square)
        for day, (total, square) in enumerate(zip(sums, squares, strict=True))
    ]


def _moments(ys: NDArray[Any], xs: NDArray[Any]) -> Moments:
    sums = (float(each.sum()) for each in (ys, ys * ys, xs, xs * xs, xs * ys))
    return Moments(len(ys), *sums)


def _lost(random: np.random.Generator, truth: NDArray[Any], choose: Callable[[NDArray[Any]], NDArray[Any]]) -> float:
    counts = np.zeros((len(truth), 2), dtype=int)
    for _ in range(200):
        people = random.multinomial(500, choose(counts))
        counts += np.column_stack([people, random.binomial(people, truth)])
    return float((truth.max() - truth) @ counts[:, 0])


def _thompson(counts: NDArray[Any]) -> NDArray[Any]:
    return np.array(bandits.shares([Moments(n, y, y) for n, y in counts.tolist()]))


def _greedy(counts: NDArray[Any], epsilon: float = 0.1) -> NDArray[Any]:
    chosen = np.full(len(counts), epsilon / len(counts))
    chosen[np.argmax(counts[:, 1] / np.maximum(counts[:, 0], 1))] += 1 - epsilon
    return chosen


def _uniform(counts: NDArray[Any]) -> NDArray[Any]:
    return np.full(len(counts), 1 / len(counts))


def _share(name: str, hits: int, runs: int, *, at_most: float | None = None, at_least: float | None = None) -> Figure:
    """A share beside its bound, with two standard errors of the simulation allowed."""
    bound = at_most if at_most is not None else at_least
    assert bound is not None
    slack, share = 2 * sqrt(bound * (1 - bound) / runs), hits / runs
    is_met = share <= bound + slack if at_most is not None else share >= bound - slack
    words = "≤" if at_most is not None else "≥"
    return Figure(name, 100 * share, "%", "nominal", 100 * bound, f"{words} {100 * bound:g} %", is_met)
