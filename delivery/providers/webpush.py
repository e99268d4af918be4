"""Push to browsers: RFC 8030 (the protocol), 8291 and 8188 (encryption), 8292 (VAPID, who we are).

Each browser has a push service of its own maker; the endpoint of the subscription names it. 404 and 410 say that
the subscription is gone.
"""

from __future__ import annotations

import base64
import binascii
import time
from urllib.parse import urlsplit

import http_ece
import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from common.errors import Invalid
from common.http import Answer, check_url
from delivery.domain.outcomes import Envelope, Outcome, OutcomeKind
from delivery.domain.payloads import Push
from delivery.providers.contract import Connection, Field, Provider, Settings
from delivery.providers.http import HttpConnection, Request, encoded, said

DEAD = (404, 410)
LASTS_SECONDS = 3 * 24 * 3600  # how long the push service keeps it for a device that is off
TOKEN_SECONDS = 12 * 3600  # RFC 8292 allows 24 hours
RENEW_SECONDS = 600
LONGEST_BODY = 3993  # RFC 8291 §4: what fits into one record of 4096 bytes
MOST_TOKENS = 50  # one per push service


def new_private_key() -> str:
    """A fresh VAPID key, as the settings take it."""
    number = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value
    return _text(number.to_bytes(32))


def public_key(private: str) -> str:
    """What browsers subscribe with (applicationServerKey). Raises `Invalid`."""
    return _text(_point(_private(private)))


def _private(text: str) -> ec.EllipticCurvePrivateKey:
    try:
        number = int.from_bytes(_bytes(text))
        if len(_bytes(text)) != 32:
            raise ValueError
        return ec.derive_private_key(number, ec.SECP256R1())
    except (ValueError, binascii.Error, UnsupportedAlgorithm) as error:
        sentence = "A VAPID private key is 32 bytes in base64url; left empty, one is made."
        raise Invalid(sentence, details={"private_key": sentence}) from error


def _point(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class WebPushConnection(HttpConnection):
    is_one_service = False

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._key = _private(str(settings["private_key"]))
        self._public = _text(_point(self._key))
        self._subject = str(settings["subject"])
        self._tokens: dict[str, tuple[str, float]] = {}

    def request(self, envelope: Envelope) -> Request:
        push: Push = envelope.payload
        shown = {
            "title": push.title, "body": push.body, "url": push.url, "icon": push.icon, "image": push.image,
            "tag": push.tag,
        }  # fmt: skip
        body = encoded({name: value for name, value in shown.items() if value})
        if len(body) > LONGEST_BODY:
            raise Invalid(f"A push message may have {LONGEST_BODY:,} bytes; this one has {len(body):,}.")
        headers = {
            "Authorization": f"vapid t={self._token(push.device.token)}, k={self._public}",
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(LASTS_SECONDS),
            "Topic": _text(push.tag.encode())[:32],
            "Urgency": "normal",
        }
        return Request("POST", push.device.token, headers, self._sealed(push, body))

    def _sealed(self, push: Push, body: bytes) -> bytes:
        """The body as only the browser can read it (RFC 8291), with a key of its own each time."""
        try:
            sealed: bytes = http_ece.encrypt(
                body,
                private_key=ec.generate_private_key(ec.SECP256R1()),
                dh=_bytes(push.device.keys["p256dh"]),
                auth_secret=_bytes(push.device.keys["auth"]),
                version="aes128gcm",
            )
        except (ValueError, KeyError, TypeError, binascii.Error, http_ece.ECEException) as error:
            raise Invalid(f"The browser's keys are no good: {error}") from error
        return sealed

    def _token(self, endpoint: str) -> str:
        """Who we are, signed for one push service (RFC 8292); made once for many messages."""
        parts = urlsplit(endpoint)
        audience, now = f"{parts.scheme}://{parts.netloc}", time.time()
        token, expires = self._tokens.get(audience, ("", 0.0))
        if now > expires - RENEW_SECONDS:
            expires = now + TOKEN_SECONDS
            claims = {"aud": audience, "exp": int(expires), "sub": self._subject}
            token = jwt.encode(claims, self._key, algorithm="ES256")
            if len(self._tokens) >= MOST_TOKENS:
                self._tokens.clear()
            self._tokens[audience] = (token, expires)
        return token

    def accepted(self, answer: Answer, envelope: Envelope) -> Outcome:
        return Outcome(OutcomeKind.SENT, answer.headers.get("location", ""))

    def refused(self, answer: Answer, envelope: Envelope) -> Outcome:
        return Outcome(OutcomeKind.FAILED, said(answer), is_hard_bounce=answer.status in DEAD)


def connect(settings: Settings) -> Connection:
    return WebPushConnection(settings)


def check(settings: Settings) -> None:
    """Raises `Invalid` by field."""
    _private(str(settings["private_key"]))
    subject = str(settings["subject"])
    if subject.startswith("https://"):
        check_url(subject, "subject")
    elif not (subject.startswith("mailto:") and "@" in subject):
        sentence = "Push services want to know whom to ask: mailto:you@example.com or https://…"
        raise Invalid(sentence, details={"subject": sentence})


FIELDS = (
    Field(
        "private_key",
        "VAPID private key",
        "secret",
        help="Empty: a new one is made. Browsers subscribe with its public half, so another key loses them.",
        make=new_private_key,
    ),
    Field("subject", "Contact", help="mailto:you@example.com, where push services reach you."),
)
PROVIDER = Provider("web_push", "Web push (VAPID)", ("push",), FIELDS, connect, check=check, device_kind="web_push")
