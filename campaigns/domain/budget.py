"""What a campaign may still spend, in messages. Money is in minor units; a message may cost a part of one."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal


def room(
    budget_minor: int | None, fixed_minor: int, price_minor: Decimal, committed_parts: int, parts: int = 1
) -> int | None:
    """How many messages more of so many `parts` (each of which pays the price) the budget pays for, beside those that
    left or may still leave; None: no limit."""
    if budget_minor is None or not price_minor:
        return None
    return max(0, int((budget_minor - fixed_minor - price_minor * committed_parts) // (price_minor * parts)))


def spent(fixed_minor: int, price_minor: Decimal, sent_parts: int) -> int:
    """What has been spent so far, to the nearest minor unit."""
    return fixed_minor + int((price_minor * sent_parts).to_integral_value(rounding=ROUND_HALF_UP))
