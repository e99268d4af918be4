"""Sends calls in batches to the public ingest endpoint, as an analytics SDK does, and repeats on a 5xx or 429."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterable, Iterator
from datetime import UTC
from typing import Any, Protocol
from urllib.parse import urlsplit

import msgspec
from django.test import Client

from common import clock
from common.errors import Transient

MOST_BYTES = 400_000
MOST_EVENTS = 500
TRIES = 8


class Sender(Protocol):
    def __call__(self, body: bytes) -> int:
        """Post one body and return the status."""


def over_http(url: str) -> Sender:
    """Post to a running server over one kept connection."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "127.0.0.1", parts.port, timeout=60)

    def send(body: bytes) -> int:
        try:
            connection.request("POST", "/v1/batch", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            answer.read()
            return answer.status
        except (OSError, http.client.HTTPException):
            connection.close()
            return 503

    return send


def in_process() -> Sender:
    """Call the very endpoint without a server: for a machine where none runs."""
    client = Client()
    return lambda body: client.post("/v1/batch", body, content_type="application/json").status_code


def batches(calls: Iterable[dict[str, Any]], write_key: str) -> Iterator[tuple[int, bytes]]:
    """Bodies within the endpoint's limits, each with how many calls it holds."""
    waiting: list[msgspec.Raw] = []
    size = 0
    for call in calls:
        encoded = msgspec.Raw(msgspec.json.encode(call))
        if waiting and (size + len(bytes(encoded)) > MOST_BYTES or len(waiting) == MOST_EVENTS):
            yield len(waiting), _body(waiting, write_key)
            waiting, size = [], 0
        waiting.append(encoded)
        size += len(bytes(encoded)) + 1
    if waiting:
        yield len(waiting), _body(waiting, write_key)


def _body(calls: list[msgspec.Raw], write_key: str) -> bytes:
    sent_at = clock.now().astimezone(UTC).isoformat()
    return msgspec.json.encode({"batch": calls, "writeKey": write_key, "sentAt": sent_at})


def post(send: Sender, body: bytes) -> None:
    """Post until it is accepted; raises `Transient` when the endpoint keeps refusing."""
    status = 0
    for attempt in range(TRIES):
        status = send(body)
        if status == 200:
            return
        time.sleep(min(5.0, 0.2 * 2**attempt))
    raise Transient(f"The ingest endpoint answered {status} {TRIES} times; is the server running?")
