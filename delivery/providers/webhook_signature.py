"""Signatures by Svix, which are those of Standard Webhooks: HMAC-SHA256 over id, moment and body.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass

from django.http import HttpRequest

from common import clock
from delivery.providers.contract import Settings
from delivery.providers.hooks import Forged
from delivery.providers.mail_hooks import MailHooks

TOLERANCE_SECONDS = 300


def verify(request: HttpRequest, secret: str) -> None:
    """Raises `Forged`. A request older than five minutes is refused: it may be one that somebody recorded."""
    given = {name: request.headers.get(f"svix-{name}", "") for name in ("id", "timestamp", "signature")}
    moment = given["timestamp"]
    if not moment.isascii() or not moment.isdigit():
        raise Forged("it bears no signature")
    if abs(clock.now().timestamp() - int(moment[:12])) > TOLERANCE_SECONDS:
        raise Forged("its signature is too old")
    signed = f"{given['id']}.{moment}.".encode() + request.body
    expected = hmac.digest(_key(secret), signed, hashlib.sha256)
    # Several signatures while a secret is being replaced: "v1,<base64> v1,<base64>".
    for part in given["signature"].split(" "):
        version, _, text = part.partition(",")
        if version == "v1" and hmac.compare_digest(_decoded(text), expected):
            return
    raise Forged("its signature is wrong")


def _key(secret: str) -> bytes:
    key = _decoded(secret.strip().removeprefix("whsec_"))
    if not key:
        raise Forged("the signing secret here is not one of theirs")
    return key


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


@dataclass(frozen=True)
class SignedMailHooks(MailHooks):
    """Reports that bear such a signature; anymail would want a library for it."""

    def verify(self, request: HttpRequest, settings: Settings) -> None:
        """Raises `Forged`."""
        assert self.key is not None
        secret = str(settings.get(self.key[0]) or "")
        if not secret:
            raise Forged("nothing is set up that could prove it")
        verify(request, secret)
