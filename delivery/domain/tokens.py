"""Signed, compact tokens of tracking and unsubscribe links: who (organisation, message) and, for clicks, where to.

A token is base64url(signature ‖ organisation ‖ message ‖ address). The signature is keyed BLAKE2b with 128 bits
(RFC 7693 §1: a MAC without the HMAC construction), five times as fast here as HMAC-SHA-256: a mail has a dozen.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64decode
from binascii import b2a_base64
from collections.abc import Sequence
from dataclasses import dataclass

SIGNATURE_BYTES = 16
NUMBER_BYTES = 8
LONGEST_TOKEN = 12_000
URL_SAFE = bytes.maketrans(b"+/", b"-_")


@dataclass(frozen=True)
class Reference:
    """What a token says once its signature was found good; `rest` is whatever else was signed."""

    organization_id: int
    message_id: int
    rest: str = ""


def key(secret: str, purpose: str) -> bytes:
    """The signing key of one purpose, so that a token of one kind opens nothing of another."""
    return hashlib.sha256(f"groundswell.delivery.{purpose}:{secret}".encode()).digest()


def identity(organization_id: int, message_id: int) -> bytes:
    """The fixed part of every token of a message."""
    return organization_id.to_bytes(NUMBER_BYTES) + message_id.to_bytes(NUMBER_BYTES)


def make(signing_key: bytes, payload: bytes) -> str:
    """A token for `identity(…)` followed by an address."""
    data = _signature(signing_key, payload) + payload
    return b2a_base64(data, newline=False).translate(URL_SAFE, b"=").decode("ascii")


def read(keys: Sequence[bytes], token: str) -> Reference | None:
    """What a token says, or None when it is not one of ours. The first key signs, the others are older ones."""
    if len(token) > LONGEST_TOKEN or not token.isascii():
        return None
    try:
        data = urlsafe_b64decode(token + "=" * (-len(token) % 4))
        signature, payload = data[:SIGNATURE_BYTES], data[SIGNATURE_BYTES:]
        if len(payload) < 2 * NUMBER_BYTES or not any(_is_good(each, payload, signature) for each in keys):
            return None
        return Reference(
            int.from_bytes(payload[:NUMBER_BYTES]),
            int.from_bytes(payload[NUMBER_BYTES : 2 * NUMBER_BYTES]),
            payload[2 * NUMBER_BYTES :].decode(),
        )
    except ValueError:
        return None


def _signature(signing_key: bytes, payload: bytes) -> bytes:
    return hashlib.blake2b(payload, key=signing_key, digest_size=SIGNATURE_BYTES).digest()


def _is_good(signing_key: bytes, payload: bytes, signature: bytes) -> bool:
    return hmac.compare_digest(_signature(signing_key, payload), signature)
