"""Events of our own rooms about contacts we know: e-mail opened, reward granted."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from audience.domain import incoming
from audience.domain.incoming import Incoming

DEPTH = "cause_depth"  # in `context`: how many doings of our own led to the event


@dataclass(frozen=True)
class InternalEvent:
    """An event that one of our rooms emits. Counted once per `message_id`, however often it is recorded."""

    contact_id: int
    name: str
    happened_at: datetime
    message_id: str
    properties: dict[str, Any] = field(default_factory=dict)
    value_minor: int | None = None
    currency: str | None = None
    context: dict[str, Any] = field(default_factory=dict)


_read = msgspec.json.Decoder(InternalEvent).decode


def decode(
    raw: bytes, *, kind: str, sent_at: datetime | None, received_at: datetime, fallback_id: tuple[int, int]
) -> Incoming:
    """Read a stored event of our own; the money and the time are taken as they are."""
    event = _read(raw)
    return Incoming(
        message_key=incoming.message_key(event.message_id, *fallback_id),
        happened_at=event.happened_at,
        received_at=received_at,
        name=incoming.event_name(event.name),
        contact_id=event.contact_id,
        properties={"message_id": event.message_id, **event.properties},
        context=event.context,
        value_minor=event.value_minor,
        currency=event.currency,
    )
