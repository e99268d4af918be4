"""What a card on the home page is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from accounts.models import Organization
from common import charts


@dataclass(frozen=True)
class Reading:
    """What a card says now. `trend` is oldest first; `change` compares its last two, 0.1 = 10 % more."""

    value: str
    note: str = ""
    link: str = ""
    trend: Sequence[float] = ()
    change: float | None = None
    level: str = ""  # good, warning, critical: where a target is known

    @property
    def points(self) -> str:
        return charts.sparkline(self.trend)

    @property
    def change_text(self) -> str:
        if self.change is None:
            return ""
        arrow = "▲" if self.change > 0 else "▼" if self.change < 0 else "="
        return f"{arrow} {abs(self.change):.0%}"


@dataclass(frozen=True)
class Card:
    """A number people watch: `resource` says who may see it, `help` what it means."""

    name: str
    title: str
    icon: str
    resource: str
    help: str
    read: Callable[[Organization], Reading]
    is_live: bool = False


def change(trend: Sequence[float]) -> float | None:
    """The last value against the one before; None when there is nothing to compare with."""
    if len(trend) < 2 or not trend[-2]:
        return None
    return (trend[-1] - trend[-2]) / abs(trend[-2])
