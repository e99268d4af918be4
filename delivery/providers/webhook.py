"""Webhooks signed as Standard Webhooks describes: webhook-id, webhook-timestamp, webhook-signature `v1,…`.

The id is the same for every try of a message, so a receiver that keeps ids takes each message once; therefore
what nobody answered is asked again. The receiver's key is `whsec_` and base64, as the libraries of the
specification take it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from datetime import timedelta

from common import clock, http
from common.errors import Invalid
from common.http import Answer
from delivery.domain.outcomes import Envelope, Outcome, OutcomeKind
from delivery.domain.payloads import Call
from delivery.providers.contract import Connection, Field, Provider, Settings
from delivery.providers.http import HttpConnection, Request, encoded, said

PREFIX = "whsec_"
SHORTEST_KEY, LONGEST_KEY = 24, 64  # bytes, says the specification
GONE = 410  # "do not send me any more"


def key_of(secret: str) -> bytes:
    """The bytes behind `whsec_…`. Raises `Invalid`."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not SHORTEST_KEY <= len(key) <= LONGEST_KEY:
        sentence = f"A signing secret is whsec_ and {SHORTEST_KEY} to {LONGEST_KEY} bytes in base64."
        raise Invalid(sentence, details={"secret": sentence})
    return key


def signature(key: bytes, message_id: str, timestamp: int, body: bytes) -> str:
    """`v1,` and the HMAC-SHA-256 of id, timestamp and body."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode("ascii")


class WebhookConnection(HttpConnection):
    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._url = str(settings["url"])
        self._key = key_of(str(settings["secret"]))

    def request(self, envelope: Envelope) -> Request:
        call: Call = envelope.payload
        body = encoded(
            {
                "type": call.type,
                "timestamp": call.happened_at.isoformat(),
                "contact_id": call.contact_id,
                "data": call.data,
            }
        )
        message_id, timestamp = f"msg_{envelope.key}", int(clock.now().timestamp())
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Groundswell",
            "webhook-id": message_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature(self._key, message_id, timestamp, body),
        }
        return Request("POST", self._url, headers, body)

    def accepted(self, answer: Answer, envelope: Envelope) -> Outcome:
        return Outcome(OutcomeKind.SENT, f"msg_{envelope.key}")

    def refused(self, answer: Answer, envelope: Envelope) -> Outcome:
        if answer.status == GONE:
            self._usable = False
            return Outcome(OutcomeKind.UNTRIED, f"The receiver wants no more: {said(answer)}")
        # A receiver that is being mended says 404 or 400; its own fault does not lose what it is owed.
        return Outcome(OutcomeKind.RETRY, said(answer))


def connect(settings: Settings) -> Connection:
    return WebhookConnection(settings)


def check(settings: Settings) -> None:
    """Raises `Invalid` by field."""
    http.check_url(str(settings["url"]))
    key_of(str(settings["secret"]))


FIELDS = (
    Field("url", "Address", help="https://… Each message is posted there as JSON."),
    Field("secret", "Signing secret", "secret", help="whsec_… The receiver checks the signature with the same."),
)
PROVIDER = Provider("webhook", "Webhook", ("webhook",), FIELDS, connect, check=check, remembers=timedelta(days=5))
