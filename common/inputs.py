"""Values that people fill in, told to forms as plain JSON in one shape, whatever they are filled in for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class Choice:
    """One of the values an input allows: as the stored JSON says it, and as a reader sees it."""

    name: str
    label: str


class Described(Protocol):
    """What every kind of input has."""

    @property
    def name(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def is_required(self) -> bool: ...
    @property
    def default(self) -> Any: ...
    @property
    def choices(self) -> tuple[Choice, ...]: ...


def described(given: Described) -> dict[str, Any]:
    """The input as plain JSON; rooms add what only theirs have."""
    told: dict[str, Any] = {
        "name": given.name, "type": given.type, "label": given.label, "required": given.is_required,
    }  # fmt: skip
    if given.default is not None:
        told["default"] = given.default
    if given.choices:
        told["choices"] = [{"name": choice.name, "label": choice.label} for choice in given.choices]
    return told
