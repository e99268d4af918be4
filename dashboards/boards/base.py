"""What a board is: cards and charts about one question, over a period."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from accounts.models import Organization
from common.charts import Chart
from dashboards.cards.base import Reading
from dashboards.periods import Picked


@dataclass(frozen=True)
class Tile:
    """A number on a board: its title, what it says, what it means."""

    title: str
    reading: Reading
    help: str = ""


@dataclass(frozen=True)
class Filled:
    """A board for one period. `note` stands above: what is simulated, what is left out."""

    tiles: Sequence[Tile]
    charts: Sequence[Chart]
    note: str = ""


@dataclass(frozen=True)
class Board:
    """`name` is its address; `resource` says who may see it; `question` is what it answers."""

    name: str
    title: str
    question: str
    resource: str
    fill: Callable[[Organization, Picked], Filled]
