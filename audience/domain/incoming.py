"""One incoming message in our own words, whatever protocol it came by; and what makes it unusable."""

from __future__ import annotations

import hashlib
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

MOST_NAME = 200
MOST_ID = 300
MOST_NESTING = 32
OLDEST = datetime(1990, 1, 1, tzinfo=UTC)
# Ids that broken client code sends for everybody; believing one would make strangers one person.
PLACEHOLDERS = frozenset(
    {
        "null", "none", "nil", "undefined", "nan", "true", "false", "unknown", "anonymous", "guest", "0", "-1",
        "[object object]", "distinct_id", "distinctid", "user_id", "userid", "id", "email", "not_authenticated",
        "00000000-0000-0000-0000-000000000000",
    }
)  # fmt: skip


class Rejected(Exception):
    """This message cannot be used: `code` for machines, `reason` for the person who sends it."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Incoming(msgspec.Struct, gc=False):
    """A message to apply. `name` is empty for calls that only say who somebody is.

    `alias_of` names an id that is the same person as `user_id`; with `is_renamed` the latter is the better name
    from now on. `contact_id` is set for our own events.
    """

    message_key: str
    happened_at: datetime
    received_at: datetime
    name: str = ""
    user_id: str = ""
    anonymous_id: str = ""
    device_id: str = ""
    email: str = ""
    phone: str = ""
    alias_of: str = ""
    is_renamed: bool = False
    contact_id: int = 0
    properties: dict[str, Any] = msgspec.field(default_factory=dict)
    context: dict[str, Any] = msgspec.field(default_factory=dict)
    traits: dict[str, Any] = msgspec.field(default_factory=dict)
    traits_once: dict[str, Any] = msgspec.field(default_factory=dict)
    unset: list[str] = msgspec.field(default_factory=list)
    is_identify: bool = False
    value_minor: int | None = None
    currency: str | None = None
    body: bytes = b""
    batch_id: int = 0
    protocol: str = ""


def identifier(value: object, place: str) -> str:
    """An id as text: null and "" are no id, whole numbers are taken. Raises `Rejected`."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise Rejected("wrong_type", f"`{place}` must be text, not {type(value).__name__}.")
    text = str(value).strip()
    if text.lower() in PLACEHOLDERS:
        raise Rejected("placeholder_id", f'`{place}` is "{text[:60]}", which stands for nobody in particular.')
    if len(text) > MOST_ID:
        raise Rejected("id_too_long", f"`{place}` is longer than {MOST_ID} characters.")
    return text


def event_name(value: object) -> str:
    """The event's name as sent. Raises `Rejected` when there is none or it is too long."""
    if not isinstance(value, str) or not value.strip():
        raise Rejected("no_name", "The event has no name; send it in `event`.")
    if len(value) > MOST_NAME:
        raise Rejected("name_too_long", f"The event's name is longer than {MOST_NAME} characters.")
    return value


def email_address(value: object) -> str:
    """A usable address in lower case, or "" when the value is none."""
    if not isinstance(value, str):
        return ""
    text = value.strip().lower()
    name, at, domain = text.rpartition("@")
    usable = at and name and "." in domain and len(text) <= 320 and not any(sign.isspace() for sign in text)
    return text if usable else ""


def message_key(message_id: object, batch_id: int, position: int) -> str:
    """The key an event is counted once under: its own id, as a UUID; without one, its place in its batch."""
    if isinstance(message_id, str) and message_id:
        if len(message_id) == 36:
            try:
                return str(uuid.UUID(message_id))
            except ValueError:
                pass
        text = message_id
    elif isinstance(message_id, int) and not isinstance(message_id, bool):
        text = str(message_id)
    else:
        text = f"batch {batch_id} position {position}"
    return str(uuid.UUID(bytes=hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).digest()))


def moment(value: object) -> datetime | None:
    """An ISO-8601 time or seconds/milliseconds since 1970, as UTC; None when it is neither."""
    try:
        if isinstance(value, str) and value:
            parsed = datetime.fromisoformat(value)
            return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
        if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
            return datetime.fromtimestamp(value / 1000 if value > 1e11 else value, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return None


def happened_at(stated: object, sent_at: datetime | None, received_at: datetime) -> datetime:
    """When it happened by our clock: the client's clock is off by `received_at − sent_at` (Segment's rule).

    Nothing happens after it arrived. Raises `Rejected` for a time that cannot be read or is before 1990.
    """
    if stated is None or stated == "":
        return received_at
    told = moment(stated)
    if told is None:
        raise Rejected("bad_timestamp", f"The time {str(stated)[:60]!r} is not ISO 8601.")
    try:
        corrected = told + (received_at - sent_at) if sent_at is not None else told
    except OverflowError:
        corrected = told
    if corrected < OLDEST:
        raise Rejected("timestamp_too_old", f"The event says it happened on {corrected:%Y-%m-%d}, before 1990.")
    return min(corrected, received_at)


def with_offset(received_at: datetime, offset: object) -> datetime:
    """PostHog's browser library may say how many milliseconds ago instead of when."""
    if isinstance(offset, int | float) and not isinstance(offset, bool) and 0 <= offset < 1e12:
        return received_at - timedelta(milliseconds=offset)
    return received_at


def check_storable(raw: bytes) -> None:
    """Refuse what PostgreSQL cannot keep in JSON, from the bytes alone where that is enough."""
    if b"\\u0000" in raw and _holds_nul(msgspec.json.decode(raw)):
        raise Rejected("nul_character", "The event holds a NUL character, which cannot be stored.")
    if raw.count(b"{") + raw.count(b"[") > MOST_NESTING and _is_deeper(msgspec.json.decode(raw), MOST_NESTING):
        raise Rejected("too_deep", f"The event nests deeper than {MOST_NESTING} levels.")


def _holds_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\x00" in value
    if isinstance(value, dict):
        return any("\x00" in key or _holds_nul(item) for key, item in value.items())
    return isinstance(value, list) and any(_holds_nul(item) for item in value)


def _is_deeper(value: Any, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    if levels == 0:
        return True
    items = value.values() if isinstance(value, dict) else value
    return any(_is_deeper(item, levels - 1) for item in items)
