"""SMS and WhatsApp by any provider with a plain HTTP API: the request is written down as a template.

`{to}`, `{from}`, `{text}` and `{key}` are put into the texts of a JSON body or the values of a form, never into
its structure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec

from common.errors import Invalid
from common.http import Answer, check_url
from delivery.domain.outcomes import Envelope, Outcome, OutcomeKind
from delivery.domain.payloads import Text
from delivery.providers.contract import Connection, Field, Provider, Settings
from delivery.providers.http import HttpConnection, Request, decoded, encoded, said

PLACE = re.compile(r"\{(?:to|from|text|key)\}")
TYPES = {"json": "application/json", "form": "application/x-www-form-urlencoded"}
MOST_DEPTH = 10


def headers_of(lines: str) -> dict[str, str]:
    """`Name: value` a line. Raises `Invalid`."""
    found: dict[str, str] = {}
    for line in filter(str.strip, lines.splitlines()):
        name, colon, value = line.partition(":")
        token = name.strip().replace("-", "").replace("_", "")
        if not colon or not (token.isascii() and token.isalnum()) or not value.isprintable() or not value.isascii():
            sentence = "One header a line, such as Authorization: Bearer …"
            raise Invalid(sentence, details={"headers": sentence})
        found[name.strip()] = value.strip()
    return found


def body_of(kind: str, text: str) -> Any:
    """The template of the body: a JSON value, or the fields of a form as `name=value` a line. Raises `Invalid`."""
    if kind == "form":
        rows = [line.partition("=") for line in filter(str.strip, text.splitlines())]
        body: Any = {name.strip(): value.strip() for name, _, value in rows}
        good = bool(rows) and all(name.strip() and equals for name, equals, _ in rows)
    else:
        try:
            body = msgspec.json.decode(text)
        except msgspec.DecodeError:
            body = None
        good = isinstance(body, (dict, list))
    if not good or "{text}" not in text or "{to}" not in text:
        sentence = 'The body needs {to} and {text}, such as {"to": "{to}", "message": "{text}"}, or to={to} a line.'
        raise Invalid(sentence, details={"body": sentence})
    return body


class HttpTextConnection(HttpConnection):
    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._url = str(settings["url"])
        self._kind = str(settings["format"])
        self._body = body_of(self._kind, str(settings["body"]))
        self._sender = str(settings.get("sender") or "")
        self._id_path = [name for name in str(settings.get("id_path") or "").split(".") if name]
        self._headers = {"Content-Type": TYPES[self._kind], **headers_of(str(settings.get("headers") or ""))}

    def request(self, envelope: Envelope) -> Request:
        words: Text = envelope.payload
        if words.template_id:
            raise Invalid("This provider takes texts, no approved templates.")
        values = {
            "{to}": envelope.recipient,
            "{from}": self._sender,
            "{text}": words.text,
            "{key}": envelope.key,
        }
        filled = _walk(self._body, lambda text: _put(text, values))
        body = urlencode(filled).encode("ascii") if self._kind == "form" else encoded(filled)
        headers = {name: _put(value, {"{key}": envelope.key}) for name, value in self._headers.items()}
        return Request("POST", self._url, headers, body)

    def accepted(self, answer: Answer, envelope: Envelope) -> Outcome:
        found: Any = decoded(answer) if self._id_path else ""
        for name in self._id_path:
            found = found[int(name)] if isinstance(found, list) else found[name]
        if isinstance(found, (dict, list)) or found is None:
            raise ValueError("no id at this place")
        return Outcome(OutcomeKind.SENT, str(found))

    def refused(self, answer: Answer, envelope: Envelope) -> Outcome:
        return Outcome(OutcomeKind.FAILED, said(answer))


def _put(text: str, values: Mapping[str, str]) -> str:
    """All places at once: what a text brings along is not looked at again."""
    return PLACE.sub(lambda found: values.get(found[0], found[0]), text)


def _walk(value: Any, change: Callable[[str], str], depth: int = 0) -> Any:
    if isinstance(value, str):
        return change(value)
    if depth > MOST_DEPTH:
        return value
    if isinstance(value, dict):
        return {key: _walk(each, change, depth + 1) for key, each in value.items()}
    return [_walk(each, change, depth + 1) for each in value] if isinstance(value, list) else value


def connect(settings: Settings) -> Connection:
    return HttpTextConnection(settings)


def check(settings: Settings) -> None:
    """Raises `Invalid` by field."""
    check_url(str(settings["url"]))
    headers_of(str(settings.get("headers") or ""))
    body_of(str(settings["format"]), str(settings["body"]))


FIELDS = (
    Field("url", "Address", help="https://… Messages are posted there."),
    Field("format", "Format", "choice", choices=(("json", "JSON"), ("form", "Form")), default="json"),
    Field("body", "Body", "lines", help='With {to}, {text}, and if wanted {from} and {key}: {"to": "{to}", …}'),
    Field("headers", "Headers", "secret_lines", False, "One a line, such as Authorization: Bearer …"),
    Field("sender", "Sender", is_required=False, help="Stands in for {from}."),
    Field("id_path", "Id in the answer", is_required=False, help="Such as messages.0.id; empty: any 2xx is a yes."),
)
PROVIDER = Provider("http_text", "Any HTTP API", ("sms", "whatsapp"), FIELDS, connect, check=check)
