"""Before the start: how many people, for how long, and which effect could be seen at all."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, inf, sqrt
from typing import TYPE_CHECKING

from common.later import later

if TYPE_CHECKING:
    from scipy import special
else:
    special = later("scipy.special")

ALPHA, POWER = 0.05, 0.8


@dataclass(frozen=True)
class Metric:
    """What is known of a metric: its `mean` now, the `deviation` of single people, and how much of their variance
    CUPED takes away (0 to 1). A share of people needs no deviation."""

    mean: float
    deviation: float | None = None
    variance_reduction: float = 0.0

    @property
    def is_share(self) -> bool:
        return self.deviation is None


def people_per_arm(
    metric: Metric, effect: float, *, arms: int = 2, alpha: float = ALPHA, power: float = POWER
) -> int:
    """To find a difference of `effect`, in the metric's unit, with this power, in a two-sided test at one moment.

    With several treatments alpha is shared among them (Bonferroni). Shares: Fleiss, Levin, Paik (2003), equation 4.14
    without correction, as R's power.prop.test; means: the normal approximation of power.t.test. Raises ValueError.
    """
    _check(metric, effect, arms)
    outer, inner = float(special.ndtri(1 - alpha / (arms - 1) / 2)), float(special.ndtri(power))
    if metric.is_share:
        other = metric.mean + effect
        middle = (metric.mean + other) / 2
        under_none, under_some = 2 * middle * (1 - middle), metric.mean * (1 - metric.mean) + other * (1 - other)
    else:
        under_none = under_some = 2 * (metric.deviation or 0.0) ** 2
    needed = (outer * sqrt(under_none) + inner * sqrt(under_some)) ** 2 / effect**2
    return max(2, ceil(needed * (1 - metric.variance_reduction)))


def smallest_effect(
    metric: Metric, people: int, *, arms: int = 2, alpha: float = ALPHA, power: float = POWER
) -> float:
    """The smallest increase that so many people in each arm would show; infinite where none would.

    Raises ValueError.
    """
    low, high = 0.0, 1 - metric.mean if metric.is_share else 1e3 * ((metric.deviation or 0.0) + abs(metric.mean) + 1)
    if people_per_arm(metric, high * (1 - 1e-9), arms=arms, alpha=alpha, power=power) > people:
        return inf
    for _ in range(100):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if people_per_arm(metric, middle, arms=arms, alpha=alpha, power=power) > people:
            low = middle
        else:
            high = middle
    return high


def days(people: int, *, arms: int, people_a_day: float) -> int:
    """For how long, when so many new people come a day; whole weeks, for weekends are not like other days."""
    if people_a_day <= 0:
        raise ValueError("Without people coming no experiment ends.")
    return 7 * ceil(people * arms / people_a_day / 7)


def _check(metric: Metric, effect: float, arms: int) -> None:
    if arms < 2:
        raise ValueError("An experiment has two arms at least.")
    if not effect:
        raise ValueError("No difference is found by nobody.")
    if metric.is_share and not (0 < metric.mean < 1 and 0 < metric.mean + effect < 1):
        raise ValueError("A share lies between 0 and 1, before and after.")
    if not metric.is_share and (metric.deviation or 0.0) <= 0:
        raise ValueError("People that are all alike need no experiment.")
    if not 0 <= metric.variance_reduction < 1:
        raise ValueError("CUPED takes away between nothing and nearly all of the variance.")
