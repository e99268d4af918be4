"""One metric of all arms, read from their sums: values, lifts, chances, and whether a guardrail is harmed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from experiments.domain import comparison, estimates, posterior, strata
from experiments.domain.comparison import Difference
from experiments.domain.estimates import Estimate
from experiments.domain.metrics import Kind, Metric
from experiments.domain.moments import Moments
from experiments.domain.posterior import Standing
from experiments.domain.strata import Stratum

FIXED_Z = 1.959963984540054  # 95 % of a normal distribution


@dataclass(frozen=True)
class ArmFigure:
    """One arm: people, the sum over them, its value (adjusted by CUPED where there is a companion) with 95 %."""

    n: int
    total: float
    value: float
    low: float
    high: float
    to_be_best: float
    expected_loss: float


@dataclass(frozen=True)
class Compared:
    """A treatment less the control: once at the end (`fixed`), and at any look (`at_any_time`).

    What holds at any time holds for all treatments together: each has its part of alpha (Bonferroni).
    `lift` and `lift_at_any_time` are shares of control's value, None where that is 0. `adjusted_p` is the p-value
    at any time after Benjamini and Hochberg over the family; `is_harmed`: a guardrail got worse beyond tolerance.
    """

    place: int
    fixed: Difference
    at_any_time: Difference
    lift: Difference | None
    lift_at_any_time: Difference | None
    adjusted_p: float = 1.0
    is_harmed: bool = False

    @property
    def is_shown(self) -> bool:
        """Whether the interval that holds at any look leaves out no difference."""
        return self.at_any_time.is_significant


@dataclass(frozen=True)
class MetricReadOut:
    """`arms` in the order of the experiment; `compared` without the control. Empty where people are too few."""

    metric: Metric
    people: list[int]
    arms: list[ArmFigure]
    compared: list[Compared]
    variance_reduction: float = 0.0

    @property
    def is_empty(self) -> bool:
        return not self.arms

    def against(self, place: int) -> Compared | None:
        return next((one for one in self.compared if one.place == place), None)

    @property
    def best(self) -> int | None:
        """The place of the arm that is most likely the best."""
        if self.is_empty:
            return None
        return max(range(len(self.arms)), key=lambda place: self.arms[place].to_be_best)


def read(metric: Metric, spans: Sequence[Stratum], control: int) -> MetricReadOut:
    """The read-out of one metric; `spans` are the moments of each arm, per span of constant shares."""
    if not spans:
        return MetricReadOut(metric, [], [], [])
    whole = strata.total(spans)
    people = [arm.n for arm in whole]
    try:
        values = strata.weighted(spans, estimator(metric))
    except ValueError:
        return MetricReadOut(metric, people, [], [])
    standings = _standings(metric, whole, values, is_one_span=len(strata.joined(spans)) == 1)
    arms = [_figure(moments, one, standing) for moments, one, standing in zip(whole, values, standings, strict=True)]
    others = [place for place in range(len(arms)) if place != control]
    compared = [_compare(metric, values, control, place) for place in others]
    reduction = estimates.variance_reduction(whole) if metric.cuped_days else 0.0
    return MetricReadOut(metric, people, arms, compared, reduction)


def estimator(metric: Metric) -> Callable[[Stratum], Sequence[Estimate]]:
    """How the arms' values come from their moments."""
    if metric.is_ratio:
        return lambda arms: [estimates.ratio(arm) for arm in arms]
    if metric.cuped_days:
        return estimates.adjusted
    return lambda arms: [estimates.mean(arm) for arm in arms]


def over_time(metric: Metric, days: Sequence[Stratum], control: int, place: int) -> list[Difference | None]:
    """The lift that holds at any time after each of the days (relative, else absolute); None while too few."""
    found: list[Difference | None] = []
    running: Stratum | None = None
    for day in days:
        running = day if running is None else strata.total([running, day])
        try:
            values = estimator(metric)(running)
            one = _compare(metric, values, control, place)
            found.append(one.lift_at_any_time)
        except ValueError:
            found.append(None)
    return found


def _figure(moments: Moments, one: Estimate, standing: Standing) -> ArmFigure:
    reach = FIXED_Z * one.variance**0.5
    return ArmFigure(
        n=moments.n,
        total=float(moments.y),
        value=one.value,
        low=one.value - reach,
        high=one.value + reach,
        to_be_best=standing.to_be_best,
        expected_loss=standing.expected_loss,
    )


def _standings(metric: Metric, whole: Stratum, values: Sequence[Estimate], *, is_one_span: bool) -> list[Standing]:
    """The chance to be best. Where less is better, the sign is turned."""
    if metric.kind == Kind.CONVERSION and is_one_span and not metric.cuped_days:
        shares = whole if metric.sign > 0 else [replace(arm, y=arm.n - arm.y) for arm in whole]
        return posterior.of_shares(shares)
    return posterior.of_means([replace(one, value=metric.sign * one.value) for one in values])


def _compare(metric: Metric, values: Sequence[Estimate], control: int, place: int) -> Compared:
    one, other = values[control], values[place]
    alpha = comparison.ALPHA / (len(values) - 1)
    lift = comparison.relative(one, other) if one.value else None
    lasting = comparison.relative_at_any_time(one, other, alpha) if one.value else None
    return Compared(
        place=place,
        fixed=comparison.absolute(one, other),
        at_any_time=comparison.absolute_at_any_time(one, other, alpha),
        lift=lift,
        lift_at_any_time=lasting,
        is_harmed=_is_harmed(metric, one, other, lasting, alpha),
    )


def _is_harmed(metric: Metric, one: Estimate, other: Estimate, lasting: Difference | None, alpha: float) -> bool:
    """Whether the better end of the lasting interval is still worse than is tolerated."""
    if lasting is None:
        change = comparison.absolute_at_any_time(one, other, alpha)
        return (change.high if metric.sign > 0 else -change.low) < 0
    turned = 1 if one.value > 0 else -1  # a lift over something negative points the other way
    sign = metric.sign * turned
    return (lasting.high if sign > 0 else -lasting.low) < -metric.tolerance
