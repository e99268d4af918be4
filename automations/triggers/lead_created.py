"""A contact came into being."""

from __future__ import annotations

import msgspec

from automations.configuration import Filter
from automations.triggers.base import TriggerKind

KEY = "contact_created"


class Configuration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    filter: Filter = None


TRIGGER = TriggerKind(
    "Contact created",
    "Starts when a person or app becomes known to us for the first time.",
    Configuration,
    key=lambda configuration: KEY,
    sentence=lambda configuration: "When a contact is created",
    group="Contact",
)
