"""What a contact is worth to us changed, or passed a line."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from automations.configuration import Filter, Wrong, says
from automations.triggers.attribute_changed import key_of
from automations.triggers.base import Happening, TriggerKind

ATTRIBUTE = "value_minor"


class Configuration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """With `line` it starts when the value passes it: up when it reaches it, down when it falls below."""

    direction: Annotated[
        Literal["any", "up", "down"],
        says("When the value", labels={"any": "Changes", "up": "Rises", "down": "Falls"}, examples=["up"]),
    ] = "any"
    line: Annotated[
        int | None,
        says(
            "Past the line of", "In minor units, such as cents. Left empty: any step.", minimum=0, examples=[100_000]
        ),
    ] = None
    filter: Filter = None


def check(configuration: Configuration, wrong: Wrong) -> None:
    if configuration.line is not None and configuration.line < 0:
        wrong("line", "must be from 0")


def admits(configuration: Configuration, happening: Happening) -> bool:
    """Whether the step goes the wanted way, and over the line if there is one."""
    before, after = (int(happening.facts.get(side) or 0) for side in ("before", "after"))
    is_up, line = after > before, configuration.line
    if configuration.direction != "any" and is_up != (configuration.direction == "up"):
        return False
    return after != before if line is None else (before < line) != (after < line)


def sentence(configuration: Configuration) -> str:
    verb = {"any": "changes", "up": "rises", "down": "falls"}[configuration.direction]
    if configuration.line is None:
        return f"When the value of a contact {verb}"
    past = {"any": "passes", "up": "rises to", "down": "falls below"}[configuration.direction]
    return f"When the value of a contact {past} {configuration.line / 100:,.2f}"


TRIGGER = TriggerKind(
    "Value changed",
    "Starts when a contact's value rises, falls or passes a line.",
    Configuration,
    key=lambda configuration: key_of(ATTRIBUTE),
    sentence=sentence,
    admits=admits,
    check=check,
    group="Contact",
)
