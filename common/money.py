"""Money is an integer number of minor units (pence, cents) with an ISO 4217 currency."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation

from common.errors import Invalid

# ISO 4217 currencies whose minor unit is not a hundredth.
EXPONENTS = {
    "BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0, "RWF": 0,
    "UGX": 0, "UYI": 0, "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
    "BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
}  # fmt: skip
SYMBOLS = {"GBP": "£", "EUR": "€", "USD": "$", "JPY": "¥"}


def exponent(currency: str) -> int:
    """Digits after the decimal point of `currency`."""
    return EXPONENTS.get(currency.upper(), 2)


def to_minor(amount: object, currency: str) -> int:
    """Minor units of a decimal amount (`12.34` GBP → 1234). Raises `Invalid` when it is not a number."""
    try:
        value = Decimal(str(amount))
        if not value.is_finite():
            raise InvalidOperation
        return int((value * 10 ** exponent(currency)).to_integral_value(rounding=ROUND_HALF_EVEN))
    except InvalidOperation as error:
        raise Invalid(f'"{amount}" is not an amount of {currency}') from error


def to_decimal(minor: int, currency: str) -> Decimal:
    return Decimal(minor).scaleb(-exponent(currency))


def show(minor: int | None, currency: str) -> str:
    """`123456, "GBP"` → `£1,234.56`."""
    if minor is None:
        return "–"
    sign = "−" if minor < 0 else ""
    number = f"{abs(to_decimal(minor, currency)):,.{exponent(currency)}f}"
    symbol = SYMBOLS.get(currency.upper())
    return f"{sign}{symbol}{number}" if symbol else f"{sign}{number} {currency}"


def show_part(minor: Decimal, currency: str) -> str:
    """Parts of a minor unit to the last digit that counts: `0.04, "GBP"` → `0.0004 GBP`."""
    return f"{minor.scaleb(-exponent(currency)).normalize():f} {currency}"


def split(total_minor: int, weights: Sequence[float]) -> list[int]:
    """Split an amount by weights so that the parts sum to it exactly (largest remainder, Hamilton 1792).

    Raises `ValueError` when no weight is positive.
    """
    weight_sum = sum(weights)
    if not weights or weight_sum <= 0:
        raise ValueError("an amount needs at least one positive weight to be split")
    sign = -1 if total_minor < 0 else 1
    exact = [abs(total_minor) * weight / weight_sum for weight in weights]
    parts = [int(share) for share in exact]
    leftover = abs(total_minor) - sum(parts)
    by_remainder = sorted(range(len(parts)), key=lambda index: (parts[index] - exact[index], index))
    for index in by_remainder[:leftover]:
        parts[index] += 1
    return [sign * part for part in parts]
