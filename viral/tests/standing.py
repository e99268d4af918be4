"""What happens, and what then stands in the tables."""

from __future__ import annotations

import msgspec

from audience.models import IngestBatch
from viral import subscribers
from viral.models import Referral, Reward
from viral.tests.river import Happening, store


def flow(*happenings: Happening) -> None:
    subscribers.on_events(store(happenings))


def states() -> list[tuple[str, str]]:
    return list(Referral.objects.order_by("pk").values_list("status", "reason"))


def rewards() -> list[tuple[str, str, int, str]]:
    return list(Reward.objects.order_by("pk").values_list("side", "kind", "amount", "status"))


def emitted() -> list[tuple[str, int, str]]:
    """Events this room recorded: name, contact, role."""
    found = []
    for batch in IngestBatch.objects.order_by("pk"):
        for event in msgspec.json.decode(bytes(batch.body))["events"]:
            found.append((event["name"], event["contact_id"], event["properties"]["role"]))
    return found
