"""Nothing starts it by itself: a colleague, an app or a scheduled task does."""

from __future__ import annotations

from typing import Any

import msgspec

from automations.triggers.base import TriggerKind


class Configuration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    filter: dict[str, Any] | None = None


TRIGGER = TriggerKind(
    "Started by hand or by the API",
    "Starts only for the contacts somebody names: in the admin, by POST …/trigger/ or by a scheduled task.",
    Configuration,
    key=lambda configuration: "manual",
    sentence=lambda configuration: "When somebody starts it for a contact",
)
