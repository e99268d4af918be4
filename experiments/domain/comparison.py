"""How far apart two arms are, with what certainty: once at the end, or at any time."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log, sqrt
from typing import TYPE_CHECKING

from common.later import later
from experiments.domain.estimates import Estimate

if TYPE_CHECKING:
    from scipy import special
else:
    special = later("scipy.special")

ALPHA = 0.05
TUNED_FOR = 10_000  # people, at whom an always-valid interval is narrowest


@dataclass(frozen=True)
class Difference:
    """Treatment less control: `value` with its interval, and the p-value of there being none.

    `is_relative`: as a share of control's value (0.05 is five per cent more), else in the metric's unit.
    """

    value: float
    low: float
    high: float
    p_value: float
    is_relative: bool

    @property
    def is_significant(self) -> bool:
        """Whether the interval leaves out no difference at all."""
        return self.low > 0 or self.high < 0


def absolute(control: Estimate, treatment: Estimate, alpha: float = ALPHA) -> Difference:
    """For one look at a moment that was fixed before: Welch's t-test and interval. Equals scipy's ttest_ind."""
    value = treatment.value - control.value
    return _fixed(value, sqrt(control.variance + treatment.variance), _freedom(control, treatment), alpha, False)


def relative(control: Estimate, treatment: Estimate, alpha: float = ALPHA) -> Difference:
    """The lift, for one look: delta method (Deng et al. 2018, equation 6). Raises ValueError where control is 0."""
    value, error = _lift(control, treatment)
    return _fixed(value, error, _freedom(control, treatment), alpha, True)


def absolute_at_any_time(
    control: Estimate, treatment: Estimate, alpha: float = ALPHA, tuned_for: int = TUNED_FOR
) -> Difference:
    """For whoever looks every day and stops when it pleases: all intervals over all time hold together.

    Asymptotic confidence sequence of Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas (2024), "Time-uniform central limit
    theory and asymptotic confidence sequences", theorem 2.2; wider than `absolute`, least so around `tuned_for`.
    """
    value = treatment.value - control.value
    error = sqrt(control.variance + treatment.variance)
    return _always_valid(value, error, control.n + treatment.n, alpha, tuned_for, False)


def relative_at_any_time(
    control: Estimate, treatment: Estimate, alpha: float = ALPHA, tuned_for: int = TUNED_FOR
) -> Difference:
    """The lift, valid at any time. Raises ValueError where control is 0."""
    value, error = _lift(control, treatment)
    return _always_valid(value, error, control.n + treatment.n, alpha, tuned_for, True)


def _lift(control: Estimate, treatment: Estimate) -> tuple[float, float]:
    if not control.value:
        raise ValueError("Nobody in the control group did it: there is nothing to compare with in per cent.")
    share = treatment.value / control.value
    error = sqrt(treatment.variance + share * share * control.variance) / abs(control.value)
    return share - 1, error


def _freedom(control: Estimate, treatment: Estimate) -> float:
    """Welch–Satterthwaite."""
    together = control.variance + treatment.variance
    if not together:
        return float(control.freedom + treatment.freedom)
    return together**2 / (control.variance**2 / control.freedom + treatment.variance**2 / treatment.freedom)


def _fixed(value: float, error: float, freedom: float, alpha: float, is_relative: bool) -> Difference:
    if not error:
        return _certain(value, is_relative)
    reach = float(special.stdtrit(freedom, 1 - alpha / 2)) * error
    p_value = 2 * float(special.stdtr(freedom, -abs(value) / error))
    return Difference(value, value - reach, value + reach, p_value, is_relative)


def _always_valid(
    value: float, error: float, people: int, alpha: float, tuned_for: int, is_relative: bool
) -> Difference:
    if not error:
        return _certain(value, is_relative)
    mixed = people * _rho_squared(alpha, tuned_for)
    reach = error * sqrt(2 * (mixed + 1) / mixed * log(sqrt(mixed + 1) / alpha))
    evidence = (value / error) ** 2 * mixed / (2 * (mixed + 1))
    p_value = min(1.0, sqrt(mixed + 1) * exp(-min(evidence, 700.0)))
    return Difference(value, value - reach, value + reach, p_value, is_relative)


def _rho_squared(alpha: float, people: int) -> float:
    """The mixture whose interval is narrowest at so many people (the paper's equation 10)."""
    return (-2 * log(alpha) + log(-2 * log(alpha) + 1)) / people


def _certain(value: float, is_relative: bool) -> Difference:
    return Difference(value, value, value, 1.0 if not value else 0.0, is_relative)
