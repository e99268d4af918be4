"""What an offer is worth, and how it reads."""

from __future__ import annotations

from dataclasses import dataclass
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
