"""Segment's HTTP tracking API: https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from audience.domain import incoming
from audience.domain.incoming import Incoming, Rejected

KINDS = ("track", "identify", "page", "screen", "group", "alias")


class Message(msgspec.Struct, gc=False):
    type: str | None = None
    messageId: Any = None  # noqa: N815 — the protocol's own names
    userId: Any = None  # noqa: N815
    anonymousId: Any = None  # noqa: N815
    previousId: Any = None  # noqa: N815
    groupId: Any = None  # noqa: N815
    event: Any = None
    name: Any = None
    category: Any = None
    timestamp: Any = None
    originalTimestamp: Any = None  # noqa: N815
    sentAt: Any = None  # noqa: N815
    properties: dict[str, Any] | None = None
    traits: dict[str, Any] | None = None
    context: dict[str, Any] | None = None


_read = msgspec.json.Decoder(Message).decode


def decode(
    raw: bytes, *, kind: str, sent_at: datetime | None, received_at: datetime, fallback_id: tuple[int, int]
) -> Incoming:
    """One Segment message. Raises `Rejected`, or msgspec's error naming the place of a wrong type."""
    message = _read(raw)
    called = message.type or kind
    if called not in KINDS:
        raise Rejected("unknown_type", f'`type` must be one of {", ".join(KINDS)}; got "{str(called)[:60]}".')
    context = message.context or {}
    sent = incoming.moment(message.sentAt) or sent_at
    stated = message.timestamp or message.originalTimestamp
    result = Incoming(
        message_key=incoming.message_key(message.messageId, *fallback_id),
        happened_at=incoming.happened_at(stated, sent, received_at),
        received_at=received_at,
        user_id=incoming.identifier(message.userId, "userId"),
        anonymous_id=incoming.identifier(message.anonymousId, "anonymousId"),
        device_id=_device(context),
        properties=message.properties or {},
        context=context,
    )
    _take_call(result, message, called)
    _take_context_traits(result, context)
    return result


def _take_call(result: Incoming, message: Message, called: str) -> None:
    traits = message.traits or {}
    if called == "track":
        result.name = incoming.event_name(message.event)
    elif called == "identify":
        result.traits, result.is_identify = traits, True
    elif called == "alias":
        result.alias_of, result.is_renamed = incoming.identifier(message.previousId, "previousId"), True
        if not result.alias_of or not result.user_id:
            raise Rejected("incomplete_alias", "An alias needs `previousId` and `userId`.")
    elif called == "group":
        group_id = incoming.identifier(message.groupId, "groupId")
        if not group_id:
            raise Rejected("no_group", "A group call needs `groupId`.")
        result.name, result.properties, result.traits = (
            "group",
            {"group_id": group_id, **traits},
            {"group_id": group_id},
        )
    else:
        named = {"name": message.name, "category": message.category}
        result.name = called
        result.properties = {key: value for key, value in named.items() if value} | result.properties


def _take_context_traits(result: Incoming, context: dict[str, Any]) -> None:
    beside = context.get("traits")
    if isinstance(beside, dict) and beside:
        result.traits = {**beside, **result.traits}
        result.context = {key: value for key, value in context.items() if key != "traits"}
    once = {field: context[field] for field in ("timezone", "locale") if isinstance(context.get(field), str)}
    if once:
        result.traits_once = once


def _device(context: dict[str, Any]) -> str:
    device = context.get("device")
    return incoming.identifier(device.get("id"), "context.device.id") if isinstance(device, dict) else ""
