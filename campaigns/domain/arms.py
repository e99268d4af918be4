"""What an arm of a campaign's experiment means: a template, an offer, a time of day. The one reading of the JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time
from typing import Any

from campaigns.domain import recurrence
from common.errors import Invalid

KEYS = frozenset({"template_id", "offer_id", "send_at"})


@dataclass(frozen=True)
class ArmPlan:
    """What the arm's people get instead of what the campaign says; None: the same."""

    template_id: int | None = None
    offer_id: int | None = None
    send_at: time | None = None

    def as_json(self) -> dict[str, Any]:
        """The payload that `parse` reads."""
        at = f"{self.send_at:%H:%M}" if self.send_at is not None else None
        whole = {"template_id": self.template_id, "offer_id": self.offer_id, "send_at": at}
        return {name: value for name, value in whole.items() if value is not None}


def parse(payload: object, arm: str) -> ArmPlan:
    """Read an arm's payload; raises `Invalid` with places such as `arms.b.template_id`."""
    if not isinstance(payload, Mapping):
        raise _wrong({f"arms.{arm}": "Say what it changes, such as {template_id: 3}."})
    wrong = {f"arms.{arm}.{name}": "Unknown part." for name in sorted(set(payload) - KEYS)}
    for name in ("template_id", "offer_id"):
        value = payload.get(name)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
            wrong[f"arms.{arm}.{name}"] = "A number of one that exists."
    at = payload.get("send_at")
    wall = recurrence.read_time(at) if at is not None else None
    if at is not None and wall is None:
        wrong[f"arms.{arm}.send_at"] = "A time in whole minutes, such as 09:00."
    if wrong:
        raise _wrong(wrong)
    return ArmPlan(payload.get("template_id"), payload.get("offer_id"), wall)


def _wrong(details: dict[str, str]) -> Invalid:
    return Invalid("An arm cannot be read: " + " ".join(details.values()), details=details)
