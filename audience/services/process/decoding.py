"""Stored requests → messages to apply, and the ones that cannot be, each with its reason."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from audience.domain import incoming, internal, phones, posthog, segment, values, wire
from audience.domain.incoming import Incoming, Rejected
from audience.models import Protocol

Decoder = Callable[..., Incoming]
DECODERS: dict[str, Decoder] = {
    Protocol.SEGMENT: segment.decode,
    Protocol.POSTHOG: posthog.decode,
    Protocol.INTERNAL: internal.decode,
}
LONGEST_EXCERPT = 2000


@dataclass(frozen=True)
class Batch:
    """A claimed row, as the processor needs it."""

    id: int
    protocol: str
    body: bytes
    received_at: datetime


@dataclass(frozen=True)
class Refusal:
    """What goes to the rejected list."""

    batch_id: int
    protocol: str
    code: str
    reason: str
    body: Any
    received_at: datetime


@dataclass
class Decoded:
    messages: list[Incoming] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)


def decode(batches: Sequence[Batch], currency: str) -> Decoded:
    """Read every event of every batch, in the order received. `currency` is the organisation's own."""
    decoded = Decoded()
    for batch in batches:
        _decode_batch(batch, currency, decoded)
    return decoded


def _decode_batch(batch: Batch, currency: str, decoded: Decoded) -> None:
    envelope = wire.unpack(batch.body)
    sent_at = incoming.moment(envelope.sent_at)
    shared = _shared_context(envelope)
    read = DECODERS[batch.protocol]
    for position, raw in enumerate(envelope.events):
        body = bytes(raw)
        try:
            message = _read_one(read, body, envelope.kind, sent_at, batch, position)
            if shared:
                message.context = {**shared, **message.context}
            if message.name and batch.protocol != Protocol.INTERNAL:
                message.value_minor, message.currency = values.of_event(message.properties, currency)
        except Rejected as verdict:
            decoded.refusals.append(refusal(batch, verdict, body, envelope.kind))
        except (msgspec.DecodeError, UnicodeError, RecursionError, OverflowError) as error:
            unreadable = Rejected("malformed_event", f"The event cannot be read: {error}")
            decoded.refusals.append(refusal(batch, unreadable, body, envelope.kind))
        else:
            decoded.messages.append(message)


def _read_one(
    read: Decoder, body: bytes, kind: str, sent_at: datetime | None, batch: Batch, position: int
) -> Incoming:
    if len(body) > wire.MOST_EVENT_BYTES:
        raise Rejected(
            "event_too_large", f"The event has {len(body):,} bytes; {wire.MOST_EVENT_BYTES:,} are allowed."
        )
    incoming.check_storable(body)
    message = read(body, kind=kind, sent_at=sent_at, received_at=batch.received_at, fallback_id=(batch.id, position))
    if not (message.user_id or message.anonymous_id or message.device_id or message.contact_id):
        _take_addresses(message)
        if not (message.email or message.phone):
            raise Rejected(
                "no_identity", "The event names nobody: it has no user id, anonymous id or e-mail address."
            )
    else:
        _take_addresses(message)
    if message.name and message.user_id and message.anonymous_id:
        # Whose browser it was, which the user id alone does not tell: two names in one browser are worth a look.
        message.context["anonymous_id"] = message.anonymous_id
    message.body, message.batch_id, message.protocol = body, batch.id, batch.protocol
    return message


def _take_addresses(message: Incoming) -> None:
    if message.traits:
        message.email = incoming.email_address(message.traits.get("email"))
        phone, country = message.traits.get("phone"), message.traits.get("country")
        if isinstance(phone, str):
            message.phone = phones.tidied(phone[:40], country if isinstance(country, str) else "")
            message.traits["phone"] = message.phone
        else:
            message.phone = ""


def _shared_context(envelope: wire.Envelope) -> dict[str, Any]:
    if envelope.context is msgspec.UNSET:
        return {}
    context = msgspec.json.decode(envelope.context)
    return context if isinstance(context, dict) else {}


def refusal(batch: Batch, verdict: Rejected, body: bytes, kind: str = "") -> Refusal:
    """A rejected event as it is kept; what JSON columns cannot hold is kept as text."""
    return Refusal(
        batch.id, batch.protocol, verdict.code, verdict.reason, _keepable(body, verdict, kind), batch.received_at
    )


def _keepable(body: bytes, verdict: Rejected, kind: str) -> Any:
    if verdict.code not in ("event_too_large", "malformed_event", "nul_character", "too_deep"):
        event = msgspec.json.decode(body)
        # The call was named by the path, which a replay no longer knows.
        if kind and isinstance(event, dict) and "type" not in event and "event" not in event:
            event["type"] = kind
        return event
    text = body[:LONGEST_EXCERPT].decode("utf-8", "replace")
    return {"unreadable": text.replace("\x00", "␀").replace("\\u0000", "␀"), "bytes": len(body)}
