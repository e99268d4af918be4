"""What other systems call, written to the ingest as an event: the river makes the contact and starts workflows."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from audience import services as audience
from audience.domain import wire
from audience.models import Protocol
from automations.triggers import webhook
from common import clock
from common.errors import Invalid, TooLarge

MOST_BYTES = wire.MOST_EVENT_BYTES - 2048  # the envelope around it needs some room
LONGEST_ID = 200


def take_webhook(organization_id: int, settings: webhook.Configuration, body: bytes, sent_id: str) -> None:
    """Record one call. The same id, or without one the same body on the same day, counts once.

    Raises `Invalid` for a body that is no JSON object or names nobody, `TooLarge`.
    """
    if len(body) > MOST_BYTES:
        raise TooLarge(f"A call may hold {MOST_BYTES // 1024} KB; this one is larger.")
    try:
        told = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Invalid("The body is not JSON.") from error
    if not isinstance(told, dict):
        raise Invalid("The body must be a JSON object.")
    user_id, email = _named(told, settings.user_id), _named(told, settings.email)
    if not user_id and not email:
        raise Invalid(
            "The body names no contact.",
            details={"body": f"expected an id at “{settings.user_id}” or an e-mail at “{settings.email}”"},
        )
    today = clock.now().date().isoformat()
    told_once = sent_id[:LONGEST_ID] or hashlib.sha256(today.encode() + body).hexdigest()
    properties = told | {"webhook": settings.key}
    _record(
        organization_id, webhook.EVENT, f"webhook:{settings.key}:{told_once}", properties, user_id, {"email": email}
    )


def _record(
    organization_id: int, name: str, message_id: str, properties: dict[str, Any], user_id: str, traits: dict[str, str]
) -> None:
    event = {
        "type": "track",
        "event": name,
        "messageId": message_id,
        "timestamp": clock.now().isoformat(),
        "properties": properties,
        "context": {"traits": {key: value for key, value in traits.items() if value}},
    } | ({"userId": user_id} if user_id else {})
    envelope = wire.Envelope([msgspec.Raw(msgspec.json.encode(event))])
    audience.accept(organization_id, Protocol.SEGMENT, wire.pack(envelope), 1, clock.now())


def _named(told: Mapping[str, Any], path: str) -> str:
    """The text or number at a path such as `customer.email`."""
    found: Any = told
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    is_plain = isinstance(found, str | int) and not isinstance(found, bool)
    return str(found).strip()[:300] if is_plain else ""
