"""The public endpoints: what cannot be read is refused at the door, what cannot be used is kept with a reason."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client

from audience.models import Contact, Event, IngestBatch, RejectedEvent
from common.models import WorkStatus
from tests.hostile.snapshot import as_request, unchanged

PATHS = ["/v1/batch", "/v1/track", "/v1/identify", "/batch/", "/capture/", "/e/", "/i/v0/e/", "/engage/"]
BOMB = gzip.compress(b"0" * 200_000_000, 9)
NESTED = gzip.compress(gzip.compress(gzip.compress(gzip.compress(gzip.compress(b"{}")))))
GOOD = json.dumps({"batch": [{"type": "track", "event": "e", "userId": "u"}]}).encode()

REFUSED: dict[str, bytes] = {
    "nothing": b"",
    "text": b"hello",
    "unfinished": b'{"batch": [',
    "not UTF-8": b'{"batch": [{"event": "\xff"}]',
    "a number": b"12",
    "a string": b'"x"',
    "a bomb": BOMB,
    "a bomb in base64": base64.b64encode(BOMB),
    "a bomb in a form": b"data=" + base64.b64encode(BOMB),
    "gzip within gzip within gzip": NESTED,
    "broken gzip": gzip.compress(GOOD)[:-12],
    "gzip with a flipped bit": bytes([*gzip.compress(GOOD)[:15], 0xFF, *gzip.compress(GOOD)[16:]]),
    "only the magic number": b"\x1f\x8b",
    "raw deflate": zlib.compress(GOOD),
    "10 MB": b'{"batch": [{"event": "' + b"x" * 10_000_000 + b'"}]}',
    "501 events": json.dumps({"batch": [{"type": "track", "event": "e"}] * 501}).encode(),
    "deep": b'{"batch": [' + b"[" * 100_000 + b"]" * 100_000 + b"]}",
    "a batch that is no list": b'{"batch": {"event": 1}}',
    "a form without data": b"data=&x=" + b"y" * 1000,
    "many form fields": b"data=1&" + b"a=1&" * 1000,
}


@pytest.mark.parametrize("body", REFUSED.values(), ids=list(REFUSED))
def test_a_body_that_cannot_be_read_is_refused_and_not_stored(client: Client, write_key: str, body: bytes) -> None:
    with unchanged():
        for path in PATHS:
            answer = as_request(
                lambda path=path: client.post(
                    f"{path}?writeKey={write_key}",
                    body,
                    content_type="application/json",
                    headers={"Origin": "https://x"},
                )
            )
            assert 400 <= answer.status_code < 500, f"{path}: {answer.status_code} {answer.content[:200]!r}"
            assert answer.json()["code"] and answer.json()["message"]


KEYS = ["", "x", "sk_x", "' OR 1=1 --", "wk_" + "a" * 10_000, "\x00", "💥", "é" * 50, "null", "[]"]


@pytest.mark.parametrize("key", KEYS)
def test_a_key_that_is_none_is_refused_wherever_it_stands(client: Client, db: None, key: str) -> None:
    basic = {"Authorization": f"Basic {base64.b64encode(f'{key}:'.encode()).decode()}"}
    tries: list[Callable[[], Any]] = [
        lambda: client.post("/v1/batch", GOOD, content_type="text/plain", headers=basic),
        lambda: client.post("/v1/batch", GOOD, content_type="text/plain", QUERY_STRING=urlencode({"writeKey": key})),
        lambda: client.post(
            "/batch/", json.dumps({"api_key": key, "batch": [{"event": "e"}]}), content_type="application/json"
        ),
        lambda: client.post("/v1/batch", GOOD, content_type="text/plain", headers={"Authorization": "Basic %%%"}),
    ]
    with unchanged():
        for attempt in tries:
            answer = as_request(attempt)
            assert answer.status_code == 401, answer.content[:200]


DEEP = {"a": json.loads("[" * 400 + "]" * 400)}
# Accepted at the door (the SDK must not send it for ever), then kept with a reason or made harmless.
STRANGE: dict[str, Any] = {
    "not an object": [1, "x", None, [], True],
    "no name": [{"type": "track", "userId": "u"}],
    "no person": [{"type": "track", "event": "e"}],
    "a name that is a list": [{"type": "track", "event": [], "userId": "u"}],
    "an unknown type": [{"type": "destroy", "event": "e", "userId": "u"}],
    "a long name": [{"type": "track", "event": "e" * 5000, "userId": "u"}],
    "NUL bytes": [{"type": "track", "event": "a\x00b", "userId": "u\x00", "properties": {"\x00": "\x00"}}],
    "a NUL in a trait": [{"type": "identify", "userId": "u", "traits": {"name": "a\x00", "x\x00": "y\x00"}}],
    "a long id": [{"type": "track", "event": "e", "userId": "u" * 5000}],
    "an id that is an object": [{"type": "track", "event": "e", "userId": {"a": 1}}],
    "an absurd time": [{"type": "track", "event": "e", "userId": "u", "timestamp": "99999-99-99"}],
    "a time in the stone age": [{"type": "track", "event": "e", "userId": "u", "timestamp": "-4000-01-01"}],
    "a time in 9999": [{"type": "track", "event": "e", "userId": "u", "timestamp": "9999-12-31T23:59:59.999Z"}],
    "a time that is a number": [{"type": "track", "event": "e", "userId": "u", "timestamp": 1e300}],
    "absurd money": [
        {"type": "track", "event": "o", "userId": "u", "properties": {"total": 1e308, "currency": "€€€"}}
    ],
    "money in words": [{"type": "track", "event": "o", "userId": "u", "properties": {"total": "a lot"}}],
    "SQL everywhere": [
        {
            "type": "identify",
            "userId": "'; DROP TABLE audience_contact; --",
            "traits": {"'; DROP TABLE audience_event; --": "1", "email": "x' OR '1'='1", "name": "%s %(a)s"},
        }
    ],
    "a huge number": [{"type": "identify", "userId": "u", "traits": {"age": 10**400}}],
    "traits that are a list": [{"type": "identify", "userId": "u", "traits": [1, 2]}],
    "a thousand traits": [{"type": "identify", "userId": "u", "traits": {f"t{n}": n for n in range(1000)}}],
    "deep properties": [{"type": "track", "event": "e", "userId": "u", "properties": DEEP}],
    "prototype": [{"type": "identify", "userId": "u", "traits": {"__proto__": {"x": 1}, "constructor": 1}}],
    "an own event": [{"type": "track", "event": "email_clicked", "userId": "u", "properties": {"message_id": "1"}}],
    "merge everything": [{"type": "alias", "previousId": "u", "userId": "u"}, {"type": "alias", "previousId": None}],
    "formula": [{"type": "identify", "userId": "=cmd|' /C calc'!A0", "traits": {"name": "@SUM(1+1)"}}],
}


@pytest.mark.parametrize("events", STRANGE.values(), ids=list(STRANGE))
def test_a_strange_event_never_stops_the_river(
    client: Client, write_key: str, drain: Callable[[], int], events: list[Any]
) -> None:
    good = {"type": "track", "event": "good", "userId": "somebody", "messageId": "good"}
    body = json.dumps({"batch": [*events, good]})

    answer = as_request(lambda: client.post(f"/v1/batch?writeKey={write_key}", body, content_type="application/json"))
    drain()

    assert answer.status_code == 200, answer.content
    assert set(IngestBatch.objects.values_list("status", flat=True)) == {WorkStatus.DONE}
    assert Event.objects.filter(definition__name="good").count() == 1
    rejected = RejectedEvent.objects.count()
    stored = Event.objects.count() - 1
    assert rejected + stored + Contact.objects.count() > 1, "every event left a trace"
    for row in RejectedEvent.objects.all():
        assert row.code and row.reason


def test_a_lone_surrogate_is_refused_or_kept_aside(client: Client, write_key: str, drain: Callable[[], int]) -> None:
    bad, good = (b'{"type": "track", "event": "%s", "userId": "u"}' % name for name in (b"\\ud800", b"good"))
    body = b'{"batch": [%s, %s]}' % (bad, good)

    answer = as_request(lambda: client.post(f"/v1/batch?writeKey={write_key}", body, content_type="application/json"))
    drain()

    assert answer.status_code in (200, 400)
    assert not IngestBatch.objects.exclude(status=WorkStatus.DONE).exists()
    assert Event.objects.filter(definition__name="good").count() == (answer.status_code == 200)
