"""What comes over the wire, unwrapped: bytes of a request → the events in it, untouched.

Stock SDKs disagree about everything but JSON: gzip under any content type, form fields, base64, one event or
many (docs/api-quick-start.md lists them). So the wrapping is told from the bytes, never from the headers.
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from typing import Any
from urllib.parse import parse_qs

import msgspec

from common.errors import Invalid, TooLarge

MOST_BATCH_BYTES = 500 * 1024
MOST_EVENT_BYTES = 32 * 1024
MOST_EVENTS = 500
# Base64 inside a form field takes up to twice the room of what it carries.
MOST_WIRE_BYTES = 2 * MOST_BATCH_BYTES

GZIP_MAGIC = b"\x1f\x8b"
FORM_PREFIX = b"data="
WRAPPINGS = 4  # form → base64 → gzip → JSON
ESCAPES = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<half>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)
KEY_FIELDS = ("writeKey", "api_key", "token", "apiKey", "$token", "write_key")


class Envelope(msgspec.Struct, omit_defaults=True):
    """One accepted request as it is stored: its events byte for byte, and what applies to all of them.

    `kind` is the call named by the path (`track`, `identify` …); events that name their own ignore it.
    """

    events: list[msgspec.Raw]
    sent_at: str = ""
    kind: str = ""
    context: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class _Body(msgspec.Struct):
    batch: list[msgspec.Raw] | None = None
    data: list[msgspec.Raw] | None = None
    writeKey: Any = None  # noqa: N815 — the protocols' own names
    api_key: Any = None
    token: Any = None
    apiKey: Any = None  # noqa: N815
    sentAt: Any = None  # noqa: N815
    sent_at: Any = None
    context: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


_read_body = msgspec.json.Decoder(_Body).decode
_read_list = msgspec.json.Decoder(list[msgspec.Raw]).decode
_read_envelope = msgspec.json.Decoder(Envelope).decode
_write_envelope = msgspec.json.Encoder().encode


def unwrap(body: bytes) -> bytes:
    """The JSON text inside a request body. Raises `Invalid` or `TooLarge`."""
    for _ in range(WRAPPINGS):
        body = body.strip(b" \t\r\n")
        if body[:1] in (b"{", b"["):
            return _within_limit(body)
        if body.startswith(GZIP_MAGIC):
            body = _gunzip(body)
        elif body.startswith(FORM_PREFIX) or b"&data=" in body[:200]:
            body = _form_field(body)
        else:
            body = _base64(body)
    raise Invalid("The body is not JSON, nor gzip, form data or base64 around JSON.", code="malformed_body")


def _within_limit(body: bytes) -> bytes:
    if len(body) > MOST_BATCH_BYTES:
        raise TooLarge(
            f"A batch may hold {MOST_BATCH_BYTES // 1024} KB once unpacked; this one is larger. Send smaller batches."
        )
    return body


def _gunzip(body: bytes) -> bytes:
    # Never inflates past the limit, whatever the bomb promises.
    inflater = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        text = inflater.decompress(body, MOST_WIRE_BYTES + 1)
    except zlib.error as error:
        raise Invalid(f"The gzip body is damaged: {error}", code="bad_gzip") from error
    if len(text) > MOST_WIRE_BYTES:
        raise TooLarge(f"A batch may hold {MOST_BATCH_BYTES // 1024} KB once unpacked; this one is larger.")
    if not inflater.eof:
        raise Invalid("The gzip body ends too early.", code="bad_gzip")
    return text


def _form_field(body: bytes) -> bytes:
    try:
        fields = parse_qs(body.decode("ascii"), strict_parsing=True, max_num_fields=20)
    except (UnicodeDecodeError, ValueError) as error:
        raise Invalid("The form body is malformed; send the events in the field `data`.") from error
    if "data" not in fields:
        raise Invalid("The form body has no field `data`.", code="malformed_body")
    # A plus sign of unescaped base64 was read as a space.
    text = fields["data"][0]
    return (text if text.lstrip()[:1] in ("{", "[") else text.replace(" ", "+")).encode()


def _base64(body: bytes) -> bytes:
    try:
        return base64.b64decode(body.replace(b"-", b"+").replace(b"_", b"/") + b"=" * (-len(body) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise Invalid("The body is not valid JSON.", code="malformed_json") from error


def mend_surrogates(text: bytes) -> bytes:
    """Replace halves of surrogate pairs by U+FFFD: JavaScript writes them when it cuts a text within an emoji."""
    return ESCAPES.sub(lambda found: b"\\ufffd" if found["half"] else found[0], text)


def open_body(body: bytes, kind: str) -> tuple[Envelope, str]:
    """Unwrap a request body and find its events and the write key it carries ("" when it carries none).

    Raises `Invalid` when it cannot be read, `TooLarge` past the limits of size and number.
    """
    text = unwrap(body)
    read = _open_list if text[:1] == b"[" else _open_object
    try:
        try:
            envelope, key = read(text, kind)
        except msgspec.DecodeError:
            envelope, key = read(mend_surrogates(text), kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Invalid(f"The body is not valid JSON: {error}", code="malformed_json") from error
    except RecursionError as error:
        raise Invalid("The body nests too deep.", code="too_deep") from error
    if len(envelope.events) > MOST_EVENTS:
        raise TooLarge(
            f"A batch may hold {MOST_EVENTS} events; this one holds {len(envelope.events)}.", code="too_many_events"
        )
    return envelope, key or _key_of_events(envelope.events)


def _open_list(text: bytes, kind: str) -> tuple[Envelope, str]:
    return Envelope(_read_list(text), kind=kind), ""


def _open_object(text: bytes, kind: str) -> tuple[Envelope, str]:
    body = _read_body(text)
    key = _first_text(body.writeKey, body.api_key, body.token, body.apiKey)
    sent_at = _first_text(body.sentAt, body.sent_at)
    events = body.batch if body.batch is not None else body.data
    if events is None:
        return Envelope([msgspec.Raw(text)], sent_at=sent_at, kind=kind), key
    return Envelope(events, sent_at=sent_at, kind=kind, context=body.context), key


def _first_text(*values: object) -> str:
    return next((value for value in values if isinstance(value, str) and value), "")


def _key_of_events(events: list[msgspec.Raw]) -> str:
    """Some browsers put the key inside each event; the first event speaks for the request."""
    if not events:
        return ""
    try:
        event = msgspec.json.decode(events[0])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    if not isinstance(event, dict):
        return ""
    inner = event.get("properties")
    places = (event, inner if isinstance(inner, dict) else {})
    return _first_text(*(place.get(field) for place in places for field in KEY_FIELDS))


def pack(envelope: Envelope) -> bytes:
    """The stored form of a request."""
    return _write_envelope(envelope)


def unpack(body: bytes) -> Envelope:
    """Read a stored request. Raises msgspec.DecodeError when the row is damaged."""
    return _read_envelope(body)
