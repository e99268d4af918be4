"""What this room announces, to itself: a step asks for another workflow to be started."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Asked:
    """One contact that shall enter. `cause` names the step of the run that asked, `facts` are what started it."""

    contact_id: int
    cause: str
    facts: dict[str, Any]


@dataclass(frozen=True)
class StartAsked:
    """A step of another workflow asks for these contacts to enter."""

    automation_id: int
    asked: list[Asked]
