"""An address of your own: JSON of who was added and removed, signed as Standard Webhooks.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md: the signature is
HMAC-SHA256 over `id.timestamp.body`. The id is the same for a repeat, so that the receiver can leave it out.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from common import clock, http
from common.errors import Invalid
from integrations.domain import identifiers
from integrations.providers.contract import (
    EMAIL,
    ID,
    PHONE,
    Account,
    Provider,
    Record,
    Setting,
    ask,
    stable_key,
)

PREFIX = "whsec_"
SHORTEST_KEY = 24  # bytes, by the specification


def _make_audience(account: Account, name: str) -> str:
    """Nothing to make: the receiver is told the name."""
    return name


def _push(account: Account, audience_id: str, records: Sequence[Record], *, is_removal: bool) -> Mapping[int, str]:
    people = [
        {"id": record[ID], "email_sha256": record[EMAIL] or None, "phone_sha256": record[PHONE] or None}
        for record in records
    ]
    told = {"audience": audience_id, "added": [] if is_removal else people, "removed": people if is_removal else []}
    body = json.dumps({"type": "audience.changed", "timestamp": clock.now().isoformat(), "data": told}).encode()
    headers = signed(account["secret"], stable_key(audience_id, records, is_removal=is_removal), body)
    answer = ask("POST", account["url"], headers=headers, raw=body, guarded=True)
    return _refused(answer.json, people)


def signed(secret: str, message_id: str, body: bytes) -> dict[str, str]:
    """The three headers of Standard Webhooks."""
    moment = str(int(clock.now().timestamp()))
    digest = hmac.digest(_key(secret), f"{message_id}.{moment}.".encode() + body, hashlib.sha256)
    signature = f"v1,{base64.b64encode(digest).decode()}"
    return {"webhook-id": message_id, "webhook-timestamp": moment, "webhook-signature": signature}


def _refused(found: Any, people: Sequence[Mapping[str, str | None]]) -> dict[int, str]:
    """A receiver may name records it cannot use: `{"refused": {"<id>": "why"}}`."""
    said = found.get("refused") if isinstance(found, dict) else None
    if not isinstance(said, dict):
        return {}
    return {place: str(said[each["id"]])[:280] for place, each in enumerate(people) if each["id"] in said}


def _key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _check_url(url: str) -> None:
    """A guarded address, and https: hashes of addresses are nobody else's business."""
    http.check_url(url)
    parts = urlsplit(url)
    if parts.scheme != "https" and (parts.hostname or "") not in settings.PRIVATE_HOSTS_ALLOWED:
        raise Invalid("An address begins with https://.", details={"url": "An address begins with https://."})


def _check_secret(secret: str) -> None:
    if not secret.startswith(PREFIX) or len(_key(secret)) < SHORTEST_KEY:
        sentence = f"A signing secret is {PREFIX} and at least {SHORTEST_KEY} random bytes in base64."
        raise Invalid(sentence, details={"secret": sentence})


WEBHOOK = Provider(
    label="Webhook",
    settings=(
        Setting("url", "Address", "Begins with https:// and is reachable from the internet."),
        Setting("secret", "Signing secret", "whsec_ and at least 24 random bytes in base64.", is_secret=True),
    ),
    address="",
    normalisers={EMAIL: identifiers.lower_email, PHONE: identifiers.e164},
    make_audience=_make_audience,
    push=_push,
    most_records=1_000,
    checks={"url": _check_url, "secret": _check_secret},
)
