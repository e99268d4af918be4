"""What a marketer fills in for an operator, a behaviour or another condition: told to forms, one shape for all."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from common import inputs
from common.inputs import Choice

InputType = Literal[
    "text", "number", "whole", "boolean", "date", "span", "list", "choice", "property", "event", "filters", "pair",
    "segment", "window",
]  # fmt: skip
SAME = "same"


@dataclass(frozen=True)
class Input:
    """One value of a condition. `name` is its key in the JSON of the condition; a dot steps into an object.

    `kind` says what the value, the elements of the list or both ends of the pair are; `same` is the kind of the
    field itself (for a list, that of its elements). `pair_when` is the `compare` that asks for two of the value.
    """

    name: str
    type: InputType
    label: str
    is_required: bool = True
    default: Any = None
    choices: tuple[Choice, ...] = field(default=())
    kind: str = ""
    pair_when: str = ""


def described(given: Input) -> dict[str, Any]:
    """The input as plain JSON."""
    told = inputs.described(given)
    if given.kind:
        told["kind"] = given.kind
    if given.pair_when:
        told["pair_when"] = given.pair_when
    return told
