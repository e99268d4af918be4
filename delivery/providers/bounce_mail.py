"""Mails that came back to an account of one's own mail server, posted by whatever reads its mailbox."""

from __future__ import annotations

import base64
import binascii
import hmac

from django.http import HttpRequest

from delivery.domain import bounces
from delivery.domain.reports import Report
from delivery.providers.contract import Settings
from delivery.providers.hooks import USER, Call, Forged


class BounceHooks:
    """The body is the mail (message/rfc822); the password in the address is the proof."""

    headers: tuple[str, ...] = ()

    def verify(self, request: HttpRequest, settings: Settings) -> None:
        """Raises `Forged`."""
        password = str(settings.get("hook_password") or "")
        given = request.headers.get("Authorization", "")
        if not password:
            raise Forged("nothing is set up that could prove it")
        if not hmac.compare_digest(_decoded(given), f"{USER}:{password}".encode()):
            raise Forged("its password is wrong", asks=not given)

    def greet(self, request: HttpRequest, settings: Settings) -> None:
        """Nothing has to be said at once."""

    def read(self, call: Call) -> list[Report]:
        """Raises `Invalid`."""
        return bounces.read(call.body, call.received_at)


def _decoded(header: str) -> bytes:
    scheme, _, text = header.partition(" ")
    try:
        return base64.b64decode(text, validate=True) if scheme.lower() == "basic" else b""
    except (binascii.Error, ValueError):
        return b""


HOOKS = BounceHooks()
