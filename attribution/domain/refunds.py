"""Which purchase a refund takes its money from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Purchase:
    """A conversion with its worth in minor units."""

    conversion_id: int
    event_id: int
    goal_id: int
    order_id: str
    currency: str
    value_minor: int
    happened_at: datetime


@dataclass(frozen=True)
class Refund:
    """Money given back. Without an amount it is the whole order that `order_id` names."""

    event_id: int
    goal_id: int
    order_id: str
    currency: str
    value_minor: int | None
    happened_at: datetime


def settle(purchases: Sequence[Purchase], refunds: Sequence[Refund]) -> dict[int, int]:
    """Refunded minor units by conversion, for the purchases and refunds of one contact.

    A refund goes to the purchase with its order id; when there is none, to the contact's latest purchases
    before it, newest first. Never more than a purchase was worth, never across goals or currencies; what
    finds no purchase stays unplaced. The order in which things arrived does not matter.
    """
    purchases = sorted(purchases, key=lambda item: (item.happened_at, item.event_id))
    refunded = {purchase.conversion_id: 0 for purchase in purchases}
    unnamed = []
    for refund in sorted(refunds, key=lambda item: (item.happened_at, item.event_id)):
        named = [item for item in _alike(purchases, refund) if refund.order_id and item.order_id == refund.order_id]
        if named:
            _take(refund, named, refunded)
        elif refund.value_minor is not None:
            unnamed.append(refund)
    for refund in unnamed:
        _take(refund, _earlier(_alike(purchases, refund), refund), refunded)
    return refunded


def _alike(purchases: Sequence[Purchase], refund: Refund) -> list[Purchase]:
    return [item for item in purchases if (item.goal_id, item.currency) == (refund.goal_id, refund.currency)]


def _earlier(purchases: Sequence[Purchase], refund: Refund) -> list[Purchase]:
    return [item for item in reversed(purchases) if item.happened_at <= refund.happened_at]


def _take(refund: Refund, purchases: Sequence[Purchase], refunded: dict[int, int]) -> None:
    left = refund.value_minor
    for purchase in purchases:
        open_minor = purchase.value_minor - refunded[purchase.conversion_id]
        taken = open_minor if left is None else min(left, open_minor)
        refunded[purchase.conversion_id] += taken
        if left is not None:
            left -= taken
