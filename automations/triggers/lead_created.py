"""A contact came into being."""

from __future__ import annotations

from typing import Any

import msgspec

from automations.triggers.base import TriggerKind

KEY = "contact_created"


class Configuration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    filter: dict[str, Any] | None = None


TRIGGER = TriggerKind(
    "Contact created",
    "Starts when a person or app becomes known to us for the first time.",
    Configuration,
    key=lambda configuration: KEY,
    sentence=lambda configuration: "When a contact is created",
)
