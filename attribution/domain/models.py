"""Attribution models: how the worth of a conversion is divided among the touchpoints that led to it.

A model turns the path (oldest touchpoint first, as its age in days before the conversion) into weights, one
per touchpoint, none negative, not all zero. To add one: write its function and give it a line in the table.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from common import money
from common.errors import Invalid
from common.registry import Registry

HALF_LIFE_DAYS = 7.0
ENDS_SHARE = 0.4

Weigh = Callable[[Sequence[float]], list[float]]


@dataclass(frozen=True)
class AttributionModel:
    """`sentence` tells a marketer who gets the credit."""

    label: str
    sentence: str
    weigh: Weigh


def first_touch(ages_days: Sequence[float]) -> list[float]:
    return [1.0] + [0.0] * (len(ages_days) - 1)


def last_touch(ages_days: Sequence[float]) -> list[float]:
    return [0.0] * (len(ages_days) - 1) + [1.0]


def linear(ages_days: Sequence[float]) -> list[float]:
    return [1.0] * len(ages_days)


def time_decay(ages_days: Sequence[float]) -> list[float]:
    """Halves with every seven days before the conversion: weight = 2^(−age / 7).

    The seven-day half-life is Google Analytics' (Multi-Channel Funnels, "Time Decay model").
    Ages are taken from the youngest touchpoint on, so that old paths do not underflow.
    """
    youngest = min(ages_days)
    return [2.0 ** ((youngest - age) / HALF_LIFE_DAYS) for age in ages_days]


def position(ages_days: Sequence[float]) -> list[float]:
    """U-shaped: 40 % to the first, 40 % to the last, 20 % shared by those between.

    Two touchpoints share equally (Google Analytics, "Position Based model").
    """
    between = len(ages_days) - 2
    if between < 1:
        return [1.0] * len(ages_days)
    return [ENDS_SHARE, *[(1 - 2 * ENDS_SHARE) / between] * between, ENDS_SHARE]


attribution_models: Registry[AttributionModel] = Registry(
    "attribution model",
    {
        "first": AttributionModel("First touch", "Everything to the first touchpoint.", first_touch),
        "last": AttributionModel("Last touch", "Everything to the last touchpoint.", last_touch),
        "linear": AttributionModel("Linear", "The same to every touchpoint.", linear),
        "time_decay": AttributionModel(
            "Time decay", "More the closer to the conversion; half as much per seven days before it.", time_decay
        ),
        "position": AttributionModel(
            "Position", "40 % to the first, 40 % to the last, 20 % to those between.", position
        ),
    },
)
DEFAULT_MODEL = "linear"


@dataclass(frozen=True)
class Part:
    """One touchpoint's part of a conversion: of its money, and of the conversion itself (0 … 1)."""

    amount_minor: int
    share: float


def divide(model: AttributionModel, amount_minor: int, ages_days: Sequence[float]) -> list[Part]:
    """Divide an amount among the touchpoints of a path, oldest first. Amounts sum to `amount_minor` exactly.

    Raises `Invalid` for an empty path: nobody can be credited.
    """
    if not ages_days:
        raise Invalid("A conversion without touchpoints is credited to nobody.")
    weights = model.weigh(ages_days)
    whole = sum(weights)
    amounts = money.split(amount_minor, weights)
    return [Part(amount, weight / whole) for amount, weight in zip(amounts, weights, strict=True)]
