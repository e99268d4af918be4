"""Rows of a file → the messages an SDK would have sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from audience.domain import attributes, incoming, segment, values
from audience.domain.attributes import Refused
from audience.domain.incoming import Rejected
from audience.domain.tables import Row, typed
from common import clock

Message = dict[str, Any]


@dataclass(frozen=True)
class Kind:
    """What the rows of a file are: `message(row, mapping, types, message_id)` makes each an SDK's message."""

    name: str
    aliases: dict[str, str]
    message: Callable[[Row, Mapping[str, str], Mapping[str, str], str], Message]

    def names(self, row: Row, mapping: Mapping[str, str]) -> list[tuple[str, str]]:
        """The identities a row states."""
        fields = {target: str(row.values.get(column) or "").strip() for column, target in mapping.items()}
        stated = [("user_id", fields.get("user_id", "")), ("email", incoming.email_address(fields.get("email")))]
        return [(kind, value) for kind, value in stated if value]


IDS = {"user_id": "userId", "anonymous_id": "anonymousId"}
COMMON = {
    "user_id": "user_id", "userid": "user_id", "customer_id": "user_id", "distinct_id": "user_id",
    "anonymous_id": "anonymous_id", "anonymousid": "anonymous_id",
    "email": "email", "e_mail": "email", "email_address": "email", "mail": "email",
}  # fmt: skip
CONTACTS = {
    **COMMON,
    **{field: field for field in attributes.TEXT_FIELDS},
    "full_name": "name", "phone_number": "phone", "mobile": "phone", "state": "region", "time_zone": "timezone",
    "language": "locale", "tags": "tags", "priority": "priority", "value": "value", "currency": "currency",
}  # fmt: skip
EVENTS = {
    **COMMON,
    "event": "event", "event_name": "event", "timestamp": "timestamp", "time": "timestamp", "date": "timestamp",
    "happened_at": "timestamp", "message_id": "message_id", "messageid": "message_id", "uuid": "message_id",
    "properties": "properties",
}  # fmt: skip


def _contact(row: Row, mapping: Mapping[str, str], types: Mapping[str, str], message_id: str) -> Message:
    message: Message = {"type": "identify", "messageId": message_id}
    traits: dict[str, Any] = {}
    for column, value in row.values.items():
        target = mapping.get(column)
        if not target or value is None or value == "":
            continue
        if target in IDS:
            message[IDS[target]] = value
        elif target == "tags":
            traits["tags"] = typed(value, attributes.LIST) if isinstance(value, str) else value
        elif target in attributes.TEXT_FIELDS or not isinstance(value, str):
            traits[target] = value
        else:
            traits[target] = typed(value, types.get(column, attributes.TEXT))
    return {**message, "traits": traits}


def _event(row: Row, mapping: Mapping[str, str], types: Mapping[str, str], message_id: str) -> Message:
    if isinstance(row.values.get("type"), str) and row.values["type"] in segment.KINDS:
        return {"messageId": message_id, **row.values}
    message: Message = {"type": "track", "messageId": message_id}
    properties: dict[str, Any] = {}
    for column, value in row.values.items():
        target = mapping.get(column)
        if not target or value is None or value == "":
            continue
        if target in IDS:
            message[IDS[target]] = value
        elif target == "email":
            message["context"] = {"traits": {"email": value}}
        elif target == "message_id":
            message["messageId"] = value
        elif target in ("event", "timestamp"):
            message[target] = value
        elif target == "properties" and isinstance(value, dict):
            properties.update(value)
        else:
            properties[target] = typed(value, types.get(column, attributes.TEXT)) if isinstance(value, str) else value
    return {**message, "properties": properties}


KINDS = {"contacts": Kind("contacts", CONTACTS, _contact), "events": Kind("events", EVENTS, _event)}


def check(message: Message, types: Mapping[str, str]) -> None:
    """Judge a message as processing would, without writing. Raises `Rejected`, `Refused` or msgspec's error."""
    raw = msgspec.json.encode(message)
    incoming.check_storable(raw)
    now = clock.now()
    decoded = segment.decode(raw, kind="", sent_at=None, received_at=now, fallback_id=(0, 0))
    address = incoming.email_address(decoded.traits.get("email"))
    if not (decoded.user_id or decoded.anonymous_id or decoded.device_id or address or decoded.traits.get("phone")):
        raise Rejected("no_identity", "The row names nobody: it has no user id, anonymous id or e-mail address.")
    if decoded.name:
        values.of_event(decoded.properties, "USD")
    for attribute, value, why in attributes.spread(decoded.traits, "USD"):
        if why:
            raise Refused(why)
        name = attribute.removeprefix("attributes.")
        if name != attribute and value is not None and name in types:
            attributes.check_type(name, types[name], value)
