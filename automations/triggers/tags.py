"""A contact got a tag, or lost one."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import msgspec

from automations.configuration import Filter, Wrong, says
from automations.triggers.attribute_changed import key_of
from automations.triggers.base import Happening, TriggerKind
from automations.words import quoted

LONGEST = 100
KEY = key_of("tags")


class Configuration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    tag: Annotated[str, says("Tag", "Left empty: any tag.", type="tag", examples=["customer"])] = ""
    filter: Filter = None


def check(configuration: Configuration, wrong: Wrong) -> None:
    if len(configuration.tag) > LONGEST:
        wrong("tag", f"must be at most {LONGEST} characters")


def _admits(had: str, has: str, configuration: Configuration, happening: Happening) -> bool:
    """Whether the tag is on the one side and not on the other."""
    fresh = set(happening.facts.get(has) or ()) - set(happening.facts.get(had) or ())
    return configuration.tag.strip() in fresh if configuration.tag.strip() else bool(fresh)


def _sentence(verb: str, configuration: Configuration) -> str:
    tag = configuration.tag.strip()
    return f"When a contact {verb} {f'the tag {quoted(tag)}' if tag else 'any tag'}"


def _kind(label: str, doc: str, verb: str, had: str, has: str) -> TriggerKind[Configuration]:
    return TriggerKind(
        label,
        doc,
        Configuration,
        key=lambda configuration: KEY,
        sentence=partial(_sentence, verb),
        admits=partial(_admits, had, has),
        check=check,
        group="Contact",
    )


ADDED = _kind("Tag added", "Starts when a contact gets a tag.", "gets", "before", "after")
REMOVED = _kind("Tag removed", "Starts when a contact loses a tag.", "loses", "after", "before")
