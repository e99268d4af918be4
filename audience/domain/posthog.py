"""PostHog's capture endpoints: https://posthog.com/docs/api/capture"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from audience.domain import incoming
from audience.domain.incoming import Incoming, Rejected

ALIASES = ("$create_alias", "$merge_dangerously")
NOT_STORED = frozenset({"token", "distinct_id", "$set", "$set_once", "$unset", "$insert_id", "$anon_distinct_id"})
CAMPAIGN_FIELDS = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content")


class Message(msgspec.Struct, gc=False):
    event: Any = None
    uuid: Any = None
    messageId: Any = None  # noqa: N815 — the protocol's own names
    message_id: Any = None
    insert_id: Any = None
    insert_id_: Any = msgspec.field(default=None, name="$insert_id")
    distinct_id: Any = None
    dollar_distinct_id: Any = msgspec.field(default=None, name="$distinct_id")
    timestamp: Any = None
    offset: Any = None
    sent_at: Any = None
    properties: dict[str, Any] | None = None
    set: dict[str, Any] | None = msgspec.field(default=None, name="$set")
    set_once: dict[str, Any] | None = msgspec.field(default=None, name="$set_once")


_read = msgspec.json.Decoder(Message).decode


def decode(
    raw: bytes, *, kind: str, sent_at: datetime | None, received_at: datetime, fallback_id: tuple[int, int]
) -> Incoming:
    """One PostHog event. Raises `Rejected`, or msgspec's error naming the place of a wrong type."""
    message = _read(raw)
    properties = message.properties or {}
    name = "$set" if kind == "engage" and message.event is None else incoming.event_name(message.event)
    sent = incoming.moment(message.sent_at) or sent_at
    result = Incoming(
        message_key=incoming.message_key(_message_id(message, properties), *fallback_id),
        happened_at=incoming.happened_at(message.timestamp, sent, incoming.with_offset(received_at, message.offset)),
        received_at=received_at,
        properties={key: value for key, value in properties.items() if key not in NOT_STORED},
        context=_context(properties),
        traits=_object(message.set, properties, "$set"),
        traits_once=_object(message.set_once, properties, "$set_once"),
        unset=[item for item in properties.get("$unset") or [] if isinstance(item, str)],
    )
    _take_ids(result, message, properties)
    _take_event(result, name, properties)
    return result


def _message_id(message: Message, properties: dict[str, Any]) -> object:
    own = message.uuid or message.messageId or message.message_id or message.insert_id or message.insert_id_
    return own or properties.get("$insert_id")


def _object(own: dict[str, Any] | None, properties: dict[str, Any], name: str) -> dict[str, Any]:
    beside = properties.get(name)
    if beside is not None and not isinstance(beside, dict):
        raise Rejected("wrong_type", f"`properties.{name}` must be an object.")
    return {**(beside or {}), **(own or {})}


def _take_ids(result: Incoming, message: Message, properties: dict[str, Any]) -> None:
    stated = message.distinct_id or message.dollar_distinct_id or properties.get("distinct_id")
    distinct_id = incoming.identifier(stated, "distinct_id")
    result.device_id = incoming.identifier(properties.get("$device_id"), "$device_id")
    if _is_anonymous(distinct_id, result.device_id, properties):
        result.anonymous_id, result.device_id = distinct_id, ""
    else:
        result.user_id = distinct_id


def _is_anonymous(distinct_id: str, device_id: str, properties: dict[str, Any]) -> bool:
    """Browsers make an id per device until somebody signs in; servers say when they keep no profile."""
    return (
        properties.get("$is_identified") is False
        or properties.get("$process_person_profile") is False
        or (distinct_id != "" and distinct_id == device_id)
    )


def _take_event(result: Incoming, name: str, properties: dict[str, Any]) -> None:
    if name == "$identify":
        result.is_identify = True
        result.user_id = result.user_id or result.anonymous_id
        result.anonymous_id = incoming.identifier(properties.get("$anon_distinct_id"), "$anon_distinct_id")
    elif name == "$set":
        result.is_identify = True
    elif name in ALIASES:
        result.alias_of = incoming.identifier(properties.get("distinct_id") or result.user_id, "distinct_id")
        result.user_id = incoming.identifier(properties.get("alias"), "alias")
        result.anonymous_id = ""
        if not result.alias_of or not result.user_id:
            raise Rejected("incomplete_alias", "An alias needs `distinct_id` and `alias`.")
    elif name == "$groupidentify":
        _take_group(result, name, properties)
    else:
        result.name = name


def _take_group(result: Incoming, name: str, properties: dict[str, Any]) -> None:
    group_id = incoming.identifier(properties.get("$group_key"), "$group_key")
    if not group_id:
        raise Rejected("no_group", "A group call needs `$group_key`.")
    result.name = name
    result.properties = {"group_id": group_id, **result.properties}
    # The SDKs send this under an id made up for the group, which is nobody.
    made_up = f"${properties.get('$group_type')}_{properties.get('$group_key')}"
    if result.user_id == made_up:
        raise Rejected("no_person", "A group's own facts without a person are not kept yet.")
    result.traits = {"group_id": group_id}


def _context(properties: dict[str, Any]) -> dict[str, Any]:
    """The facts of a visit under the names that the rest of the house reads."""
    context: dict[str, Any] = {}
    if url := properties.get("$current_url"):
        context["page"] = {"url": url, "referrer": properties.get("$referrer") or ""}
    campaign = {field[4:]: properties[field] for field in CAMPAIGN_FIELDS if properties.get(field)}
    if campaign:
        context["campaign"] = {("name" if key == "campaign" else key): value for key, value in campaign.items()}
    return context
