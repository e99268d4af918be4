"""Numbers as people read them, and the cells made of them."""

from __future__ import annotations

from common import money
from common.charts import Cell


def count(value: float, link: str = "") -> Cell:
    """A whole number, or one decimal where a thing is shared."""
    whole = float(value).is_integer()
    return Cell(f"{value:,.0f}" if whole else f"{value:,.1f}", int(value) if whole else round(value, 4), link)


def share(value: float | None) -> Cell:
    """A part of a whole: 0.123 → 12.3 %."""
    return Cell("–", "") if value is None else Cell(f"{value:.1%}", round(value, 6))


def percent(value: float | None) -> Cell:
    return Cell("–", "") if value is None else Cell(f"{value:,.0f} %".replace("-", "−"), round(value, 2))


def times(value: float | None) -> Cell:
    return Cell("–", "") if value is None else Cell(f"{value:,.1f} ×", round(value, 4))


def amount(minor: int | None, currency: str, link: str = "") -> Cell:
    """Money; CSV gets the plain decimal."""
    if minor is None:
        return Cell("–", "")
    return Cell(money.show(minor, currency), money.to_decimal(minor, currency), link)


def headline(minor: int, currency: str) -> str:
    """Money for a tile: pence only below a thousand."""
    if abs(money.to_decimal(minor, currency)) < 1000:
        return money.show(minor, currency)
    whole = round(money.to_decimal(minor, currency))
    return money.show(money.to_minor(whole, currency), currency).partition(".")[0]


def major(minor: int, currency: str) -> float:
    """Money for an axis."""
    return float(money.to_decimal(minor, currency))


def symbol(currency: str) -> str:
    return money.SYMBOLS.get(currency, f"{currency} ")


def short(text: str, most: int = 28) -> str:
    """A label that fits beside a bar."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"
