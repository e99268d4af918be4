"""What an offer is worth, and how it reads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal

PERCENT, POINTS, POINTS_PER_UNIT = "percent", "points", "points_per_unit"
SYMBOLS = {"GBP": "£", "EUR": "€", "USD": "$", "JPY": "¥"}


@dataclass(frozen=True)
class Terms:
    """`value` in `unit`: percent, points, points for each unit of money spent, or a currency code."""

    kind: str
    value: Decimal
    unit: str

    def problems(self) -> dict[str, str]:
        """What cannot be, by field."""
        wrong = {}
        is_money = len(self.unit) == 3 and self.unit.isascii() and self.unit.isalpha()
        if self.unit not in (PERCENT, POINTS, POINTS_PER_UNIT) and not is_money:
            wrong["unit"] = f"“{self.unit}” is no unit: percent, points, points_per_unit, or a currency such as GBP."
        if self.value <= 0:
            wrong["value"] = "An offer is worth more than nothing."
        if self.unit == PERCENT and self.value > 100:
            wrong["value"] = "More than 100 percent cannot be given."
        return wrong

    @property
    def sentence(self) -> str:
        """`5 % cashback`, `10 points for each unit spent`, `$50 bonus`."""
        number = f"{self.value:,.2f}".removesuffix(".00")
        match self.unit:
            case "percent":
                return f"{number} % {self.kind}"
            case "points":
                return f"{number} points"
            case "points_per_unit":
                return f"{number} points for each unit of money spent"
        symbol = SYMBOLS.get(self.unit.upper())
        return f"{symbol}{number} {self.kind}" if symbol else f"{number} {self.unit.upper()} {self.kind}"


def variables(title: str, code: str, ends_at: datetime | None, zone: tzinfo) -> dict[str, str]:
    """What messages read as `offer`. What there is not is left out, so that a default stands in or nobody is told of
    nothing. An offer that ends at midnight of `zone` was good until the day before."""
    told = {"title": title, "code": code}
    if ends_at is not None:
        last = (ends_at - timedelta(microseconds=1)).astimezone(zone)
        told |= {
            "last_day": f"{last:%-d %B %Y}",
            "expires_at": ends_at.astimezone(zone).isoformat(timespec="seconds"),
        }
    return {name: value for name, value in told.items() if value}
