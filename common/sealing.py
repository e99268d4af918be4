"""Secrets at rest: what a dump of the database must not give away is sealed with a key from the site's SECRET_KEY."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping

import msgspec
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

from common.errors import Permanent


def seal(secrets: Mapping[str, str]) -> str:
    """The secrets as text that only this site can read; an empty mapping seals to nothing."""
    return _box().encrypt(msgspec.json.encode(dict(secrets))).decode("ascii") if secrets else ""


def unseal(sealed: str) -> dict[str, str]:
    """What `seal` was given. Raises `Permanent` when it was sealed with a SECRET_KEY that is not known any more."""
    if not sealed:
        return {}
    try:
        return msgspec.json.decode(_box().decrypt(sealed.encode("ascii")), type=dict[str, str])
    except (InvalidToken, msgspec.DecodeError, UnicodeEncodeError) as error:
        raise Permanent(
            "The stored secrets cannot be read: they were sealed with another SECRET_KEY. Enter them again, or set "
            "SECRET_KEY_FALLBACKS to the old key.",
            code="secrets_unreadable",
        ) from error


def _box() -> MultiFernet:
    """Sealed with the present key, read with that and the older ones."""
    return MultiFernet([Fernet(_key(str(each))) for each in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


def _key(secret: str) -> bytes:
    return base64.urlsafe_b64encode(hashlib.sha256(f"groundswell.sealing:{secret}".encode()).digest())
