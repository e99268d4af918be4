"""Bodies that no honest client sends, to every address that takes one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from common.api.parsers import MOST_BYTES
from tests.hostile.conftest import Attacker, refusal
from tests.hostile.requests import FIELDS, REQUESTS, spoiled
from tests.hostile.snapshot import take, unchanged
from tests.hostile.town import Town

MALFORMED: dict[str, bytes] = {
    "unfinished": b'{"name": "A"',
    "text": b"hello",
    "not UTF-8": b'{"name": "\xff\xfe"}',
    "NaN": b'{"name": NaN}',
    "infinity": b'{"name": 1e999}',
    "a lone surrogate": b'{"name": "\\ud800"}',
    "a NUL": b'{"name": "a\\u0000b"}',
    "a NUL in a key": b'{"a\\u0000b": 1}',
    "deep lists": b'{"name": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    "deep objects": b'{"name": ' + b'{"a":' * 50_000 + b"1" + b"}" * 50_000 + b"}",
    "seventy levels": b'{"name": ' + b"[" * 70 + b"]" * 70 + b"}",
    "a list": b"[]",
    "a string": b'"name"',
    "a number": b"12",
    "nothing": b"null",
    "10 MB": b'{"name": "' + b"x" * 10_000_000 + b'"}',
    "one byte too many": b'{"name": "' + b"x" * (MOST_BYTES - 11) + b'"}',
    "a number of 100,000 digits": b'{"name": ' + b"9" * 100_000 + b"}",
    "an unknown key": b'{"surprise": 1}',
    "__proto__": b'{"__proto__": {"admin": true}, "organization_id": 1}',
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=list(MALFORMED))
def test_a_body_that_is_not_a_proper_object_is_refused_everywhere(
    attacker: Attacker, home: Town, body: bytes
) -> None:
    with unchanged():
        for name, (method, make) in REQUESTS.items():
            path, _ = make(home)
            answer = attacker.ask_raw(method, path, body)
            assert 400 <= answer.status_code < 500, f"{name}: {answer.status_code} {answer.content[:300]!r}"
            refusal(answer)


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "multipart/form-data; boundary=x", ""])
def test_only_json_is_taken(attacker: Attacker, home: Town, content_type: str) -> None:
    with unchanged():
        for method, make in REQUESTS.values():
            path, body = make(home)
            answer = attacker.ask_raw(method, path, json.dumps(body).encode(), content_type)
            assert refusal(answer)["code"] == "unsupported_media_type"


def test_an_unknown_key_beside_good_ones_is_refused(attacker: Attacker, home: Town) -> None:
    with unchanged():
        for name, (method, make) in REQUESTS.items():
            path, body = make(home)
            answer = attacker.ask(method, path, {**body, "organisation_id": 5})
            assert answer.status_code == 400, f"{name}: {answer.status_code} {answer.content[:300]!r}"
            assert "organisation_id" in refusal(answer)["details"], name


SQL = "x'); DROP TABLE audience_contact; --"
WRONG: list[Any] = [
    None,
    {},
    [],
    [[[]]],
    [None],
    {"": None},
    {"$ne": 1},
    True,
    "",
    " ",
    0,
    -1,
    1.5,
    2**63,
    -(10**30),
    1e300,
    "x" * 600_000,
    SQL,
    "{{ 7 * 7 }}",
    "%s %(organization)s {0} \\",
    "\u202e\ufeff\u200d\U000e0001",
    "9999-99-99",
    "0000-00-00T00:00:00Z",
    "10000-01-01T00:00:00+99:99",
    [SQL] * 3,
    [2**63, -1, 0],
    {"match": "all", "rules": [{}] * 3},
]


@pytest.mark.parametrize(("name", "field"), FIELDS, ids=[f"{name}: {field}" for name, field in FIELDS])
def test_a_wrong_value_in_any_field_is_refused_or_harmless(
    attacker: Attacker, home: Town, name: str, field: str
) -> None:
    method, make = REQUESTS[name]
    path, body = make(home)
    for value in WRONG:
        before = take()
        answer = attacker.ask(method, path, spoiled(body, field, value))
        shown = f"{value!r:.80}"
        assert answer.status_code < 500, f"{shown}: {answer.status_code}"
        if answer.status_code >= 400:
            refusal(answer)
            assert take() == before, shown


@pytest.mark.parametrize("key", ["x" * 201, "\t", "é\x7f", "a\u0000b", "\u2028"])
def test_a_bad_idempotency_key_is_refused(attacker: Attacker, home: Town, key: str) -> None:
    with unchanged():
        for method, make in REQUESTS.values():
            if method == "post":
                path, body = make(home)
                refusal(attacker.ask(method, path, body, **{"Idempotency-Key": key}))


def test_an_idempotency_key_of_another_request_is_refused(attacker: Attacker, home: Town) -> None:
    first = attacker.ask("post", "tasks/", {"title": "Call"}, **{"Idempotency-Key": "once"})
    assert first.status_code == 201

    with unchanged():
        again = attacker.ask("post", "tasks/", {"title": "Call"}, **{"Idempotency-Key": "once"})
        other = attacker.ask("post", "tasks/", {"title": "Write"}, **{"Idempotency-Key": "once"})
        elsewhere = attacker.ask("post", "segments/", {"name": "New"}, **{"Idempotency-Key": "once"})

    assert again.json()["id"] == first.json()["id"]
    assert refusal(other)["code"] == refusal(elsewhere)["code"] == "key_reused"
