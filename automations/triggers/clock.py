"""What triggers by the clock share: whom a turn starts, and when the next one is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True)
class Due:
    """A contact that a turn starts; `cause` names the turn for ever."""

    contact_id: int
    cause: str
    facts: dict[str, Any]


@dataclass(frozen=True)
class Selected:
    """Everybody whom a query names (`contact_id`), all of the same cause and facts: they enter without being read.

    It runs as the tables' owner and names the organisation itself; `parameters` are bound by name.
    """

    sql: str
    parameters: Mapping[str, Any]
    cause: str
    facts: dict[str, Any]


class Clock(Protocol):
    """How a kind of trigger follows the clock. Runs in the organisation whose workflow it is."""

    def following(self, configuration: Any, after: datetime) -> datetime:
        """The first turn later than `after`."""

    def due(
        self, configuration: Any, turn_at: datetime, since: datetime, until: datetime
    ) -> Iterator[list[Due] | Selected]:
        """Whom a turn starts, in blocks: everybody whose moment came after `since` and not after `until`."""
