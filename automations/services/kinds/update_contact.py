"""Set fields or attributes of contacts."""

from __future__ import annotations

from typing import Any

import msgspec

from audience import services as audience
from audience.models import Priority
from automations.configuration import Wrong
from automations.services.kinds.base import TaskKind, check_contacts, present

FIELDS = ("status", "priority")
CUSTOM = "attributes."


class Configuration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`changes` are `status`, `priority` or `attributes.<name>` and their values."""

    contact_ids: list[int]
    changes: dict[str, Any]


def check(configuration: Configuration, wrong: Wrong) -> None:
    check_contacts(configuration.contact_ids, wrong)
    if not configuration.changes:
        wrong("changes", "name at least one field and its value")
    for name, value in configuration.changes.items():
        place = f"changes.{name}"
        if name not in FIELDS and not (name.startswith(CUSTOM) and len(name) > len(CUSTOM)):
            wrong(place, f"unknown field; known: {', '.join(FIELDS)} and {CUSTOM}<name>")
        elif name == "priority" and value not in Priority.values:
            wrong(place, f"must be one of {', '.join(Priority.values)}")
        elif name == "status" and not (isinstance(value, str) and 1 <= len(value) <= 40):
            wrong(place, "must be 1 to 40 characters")


def execute(configuration: Configuration, key: str) -> dict[str, Any]:
    """One update per field."""
    contact_ids = present(configuration.contact_ids)
    audience.update_contacts(contact_ids, configuration.changes)
    return {"contacts": len(contact_ids)}


KIND = TaskKind("Update contacts", "Sets fields of the named contacts.", Configuration, execute, check)
