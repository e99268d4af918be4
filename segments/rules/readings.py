"""What a behaviour can ask of a contact's events. Each shape of the compiler answers in its own way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from segments.rules import operands
from segments.rules.parameters import Parameters
from segments.rules.tree import Within
from segments.rules.windows import NOTHING

# JSON numbers know no bounds, sums do: a number beyond these counts as the bound.
LARGEST = "1e30::numeric"
EMPTY = ("null", '""', "[]", "{}")


class Reading(Protocol):
    """The events of one leaf up to now, as SQL of columns that every contact has; NULL where there is nothing."""

    @property
    def parameters(self) -> Parameters:
        """Where values are bound."""

    def nth(self, count: int, within: Within) -> str:
        """NULL when fewer than `count` events lie in the window.

        Otherwise the moment of the nth latest or, for more than one, perhaps an earlier one in the window.
        """

    def measure(self, call: str, within: Within, only: str = "", kind: str = "timestamptz") -> str:
        """An aggregate over the rows `event` in the window that meet the condition `only`; `kind` is its type."""

    def value(self, sql: str) -> str:
        """A column of the rows with the value of an expression over audience_event."""

    @property
    def next_at(self) -> str:
        """The first event still to come (a client may date one ahead) or an earlier moment; ask for it last."""


@dataclass(frozen=True)
class NeverSent:
    """The reading of an event that nobody has ever sent."""

    parameters: Parameters

    def nth(self, count: int, within: Within) -> str:
        return NOTHING

    def measure(self, call: str, within: Within, only: str = "", kind: str = "timestamptz") -> str:
        return f"NULL::{kind}"

    def value(self, sql: str) -> str:
        return "NULL"

    @property
    def next_at(self) -> str:
        return NOTHING


def number_of(events: Reading, name: str) -> str:
    """A property as a number, NULL where it is none."""
    key = events.parameters.bind(name, "text")
    bounded = f"least(greatest({{value}}::numeric, -{LARGEST}), {LARGEST})"
    return events.value(operands.number_of(f"(event.properties -> {key})", f"(event.properties ->> {key})", bounded))


def content_of(events: Reading, name: str) -> tuple[str, str]:
    """A hash of a property's value of 64 bits (5 and 5.0 have the same, "5" another), and whether it is set."""
    content = events.value(f"jsonb_hash_extended({_property(events, name)}, 0)")
    empty = ", ".join(f"jsonb_hash_extended('{nothing}', 0)" for nothing in EMPTY)
    return content, f"{content} NOT IN ({empty})"


def _property(events: Reading, name: str) -> str:
    return f"(event.properties -> {events.parameters.bind(name, 'text')})"
