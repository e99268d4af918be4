"""Add or remove a tag."""

from __future__ import annotations

from typing import Annotated

import msgspec

from audience import services as audience
from automations.configuration import Wrong, says
from automations.steps.base import ALL_DONE, Group, Results, StepKind
from automations.words import quoted

LONGEST = 100


class Configuration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    tag: Annotated[str, says("Tag", type="tag", examples=["customer"])]


def check(configuration: Configuration, wrong: Wrong) -> None:
    if not configuration.tag.strip() or len(configuration.tag) > LONGEST:
        wrong("tag", f"must be 1 to {LONGEST} characters")


def add(configuration: Configuration, group: Group) -> Results:
    """One update for the whole group."""
    audience.add_tags(group.contact_ids, configuration.tag.strip())
    return ALL_DONE


def remove(configuration: Configuration, group: Group) -> Results:
    """One update for the whole group."""
    audience.remove_tags(group.contact_ids, configuration.tag.strip())
    return ALL_DONE


def _added(configuration: Configuration) -> str:
    return f"Add the tag {quoted(configuration.tag)}"


def _removed(configuration: Configuration) -> str:
    return f"Remove the tag {quoted(configuration.tag)}"


ADD = StepKind("Add tag", "Puts a tag on the contact.", Configuration, add, _added, check, group="Contact")
REMOVE = StepKind(
    "Remove tag", "Takes a tag off the contact.", Configuration, remove, _removed, check, group="Contact"
)
