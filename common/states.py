"""What a thing may do in which state, and what of it may still change then: one table that all surfaces read."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from common.errors import Conflict

S = TypeVar("S", bound=StrEnum)


@dataclass(frozen=True)
class States(Generic[S]):
    """`transitions`: action → the states it starts from, and where each leads; `editable`: the fields still open."""

    noun: str
    kind: type[S]
    transitions: Mapping[str, Mapping[S, S]]
    editable: Mapping[S, Collection[str]]
    # What to do instead of changing a settled field.
    instead: str
    # What only workers do; nobody is offered it.
    hidden: frozenset[str] = frozenset()

    def allowed(self, state: str) -> list[str]:
        """The actions a person may take in this state, in the order of the table."""
        now = self.kind(state)
        return [action for action, moves in self.transitions.items() if now in moves and action not in self.hidden]

    def move(self, state: str, action: str) -> S:
        """The state that `action` leads to. Raises `Conflict` naming what is possible instead."""
        target = self.transitions[action].get(self.kind(state))
        if target is not None:
            return target
        possible = ", ".join(self.allowed(state)) or "nothing"
        raise Conflict(
            f"You cannot {action} {self._one} that is {state}; possible now: {possible}.",
            code="state_forbids",
            details={"status": state, "allowed": self.allowed(state)},
        )

    def check_editable(self, state: str, fields: Collection[str]) -> None:
        """Raises `Conflict` naming the fields that are settled in this state."""
        settled = sorted(set(fields) - set(self.editable[self.kind(state)]))
        if not settled:
            return
        names = ", ".join(field.removesuffix("_id").replace("_", " ") for field in settled)
        raise Conflict(
            f"The {self.noun} is {state}, so its {names} cannot change any more. {self.instead}",
            code="state_forbids",
            details=dict.fromkeys(settled, f"Settled while the {self.noun} is {state}."),
        )

    @property
    def _one(self) -> str:
        return f"{'an' if self.noun[0] in 'aeiou' else 'a'} {self.noun}"
