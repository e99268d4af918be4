"""Nothing starts it by itself: a colleague, an app or a scheduled task does."""

from __future__ import annotations

import msgspec

from automations.configuration import Filter
from automations.triggers.base import TriggerKind


class Configuration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    filter: Filter = None


TRIGGER = TriggerKind(
    "Started by hand or by the API",
    "Starts only for the contacts somebody names: in the admin, by POST …/trigger/ or by a scheduled task.",
    Configuration,
    key=lambda configuration: "manual",
    sentence=lambda configuration: "When somebody starts it for a contact",
    group="From outside",
)
