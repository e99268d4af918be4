"""What money came back for money spent."""

from __future__ import annotations

from enum import StrEnum


class Tier(StrEnum):
    EXCELLENT = "excellent"
    GOOD = "good"
    PROFITABLE = "profitable"
    NEEDS_OPTIMISATION = "needs_optimisation"
    NO_COST = "no_cost"  # nobody said what it cost, so there is no return to judge


# Revenue per unit of cost must be above the bound.
BOUNDS = ((5, Tier.EXCELLENT), (3, Tier.GOOD), (1, Tier.PROFITABLE))


def multiple(revenue_minor: int, cost_minor: int) -> float | None:
    """Revenue per unit of cost (ROAS); None without a cost."""
    return revenue_minor / cost_minor if cost_minor > 0 else None


def percent(revenue_minor: int, cost_minor: int) -> float | None:
    """Return on investment: (revenue − cost) ÷ cost, in per cent; None without a cost."""
    return 100 * (revenue_minor - cost_minor) / cost_minor if cost_minor > 0 else None


def tier(revenue_minor: int, cost_minor: int) -> Tier:
    """Above 5 times its cost excellent, above 3 good, above 1 profitable, else in need of optimisation."""
    if cost_minor <= 0:
        return Tier.NO_COST
    # Whole minor units, so that exactly five times is never "above five" by a rounding.
    for bound, word in BOUNDS:
        if revenue_minor > bound * cost_minor:
            return word
    return Tier.NEEDS_OPTIMISATION


def rate(part: float, whole: float) -> float | None:
    """A share 0 … 1; None of nothing."""
    return part / whole if whole else None
