"""The money an event is about, read from its properties."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from audience.domain.attributes import Refused, currency_code
from audience.domain.incoming import Rejected
from common import money

FIELDS = ("total", "revenue", "value", "amount")
MOST_MINOR = 2**63


def of_event(properties: dict[str, Any], default_currency: str) -> tuple[int | None, str | None]:
    """Minor units and currency, or (None, None) for an event without money.

    Raises `Rejected` for a negative amount, an unknown currency or an amount nobody can store. A property that
    only happens to be called `value` or `amount` and holds no number stays a property.
    """
    for field in FIELDS:
        if field in properties:
            amount = _amount(properties[field])
            if amount is not None:
                return _checked(amount, field, properties, default_currency)
    return None, None


def _amount(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        amount = Decimal(str(value)) if not isinstance(value, str) else Decimal(value.strip())
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None


def _checked(
    amount: Decimal, field: str, properties: dict[str, Any], default_currency: str
) -> tuple[int | None, str | None]:
    stated = properties.get("currency")
    if amount < 0:
        if field == "value" and stated is None:
            return None, None  # a measurement, not money
        raise Rejected(
            "negative_money", f"`{field}` is {amount}; money is not negative. Send a refund as an event of its own."
        )
    try:
        currency = currency_code(stated) if stated is not None else default_currency
    except Refused as error:
        raise Rejected("unknown_currency", str(error)) from error
    if amount.adjusted() > 18:
        raise Rejected("money_out_of_range", f"`{field}` is too large to be money.")
    minor = money.to_minor(amount, currency)
    if minor >= MOST_MINOR:
        raise Rejected("money_out_of_range", f"`{field}` is too large to be money.")
    return minor, currency
