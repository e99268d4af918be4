"""What comes over the wire: every shape stock SDKs send, and what hostile ones do."""

import base64
import gzip
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from django.test import Client

from accounts import selectors
from accounts import services as accounts
from accounts.models import ApiKey, ApiKeyKind
from audience.domain import wire
from audience.models import Event, IngestBatch, RejectedEvent
from audience.tests import helpers
from common import doorbell, tenancy

pytestmark = pytest.mark.django_db

EVENT = {"type": "track", "event": "Clicked", "userId": "u1"}
SEGMENT_PATHS = [
    (f"/v1/{path}", body)
    for path, body in [
        ("batch", {"batch": [EVENT]}),
        ("b", {"batch": [EVENT]}),
        ("track", {"event": "Clicked", "userId": "u1"}),
        ("t", {"event": "Clicked", "userId": "u1"}),
        ("page", {"userId": "u1", "name": "Home"}),
        ("p", {"userId": "u1"}),
        ("screen", {"userId": "u1"}),
        ("s", {"userId": "u1"}),
        ("group", {"userId": "u1", "groupId": "g1"}),
        ("g", {"userId": "u1", "groupId": "g1"}),
    ]
]
POSTHOG_PATHS = ["/batch/", "/capture/", "/e/", "/i/v0/e/", "/track/", "/batch", "/capture", "/e", "/i/v0/e"]


@pytest.mark.parametrize(("path", "body"), SEGMENT_PATHS)
@pytest.mark.parametrize("slash", ["", "/"])
def test_every_segment_path_records_its_event(write_key: str, drain: Any, path: str, body: Any, slash: str) -> None:
    assert helpers.post(path + slash, body, write_key).status_code == 200
    drain()

    assert Event.objects.count() == 1
    assert not RejectedEvent.objects.exists()


@pytest.mark.parametrize("path", POSTHOG_PATHS)
def test_every_posthog_path_records_its_event(write_key: str, drain: Any, path: str) -> None:
    body = {"api_key": write_key, "event": "Clicked", "distinct_id": "u1"}
    assert helpers.post(path, body).status_code == 200
    drain()

    assert helpers.names() == ["Clicked"]


def _carriers(key: str) -> dict[str, tuple[str, Any, dict[str, Any]]]:
    event = {"event": "Clicked", "distinct_id": "u1"}
    return {
        "Basic user name": ("/v1/track", EVENT, {"HTTP_AUTHORIZATION": helpers.basic(key)}),
        "header": ("/v1/track", EVENT, {"HTTP_X_WRITE_KEY": key}),
        "query": (f"/v1/track?writeKey={key}", EVENT, {}),
        "writeKey in the body": ("/v1/track", {**EVENT, "writeKey": key}, {}),
        "writeKey of a batch": ("/v1/batch", {"batch": [EVENT], "writeKey": key}, {}),
        "api_key": ("/batch/", {"api_key": key, "batch": [event]}, {}),
        "token": ("/e/", {**event, "token": key}, {}),
        "token in properties": ("/e/", {**event, "properties": {"token": key}}, {}),
        "inside each event of a list": ("/e/", [{**event, "properties": {"token": key}}], {}),
        "inside each event of a batch": ("/v1/batch", {"batch": [{**EVENT, "writeKey": key}]}, {}),
    }


@pytest.mark.parametrize("place", list(_carriers("")))
def test_the_key_is_found_in_every_place(write_key: str, drain: Any, place: str) -> None:
    path, body, headers = _carriers(write_key)[place]

    assert helpers.post(path, body, **headers).status_code == 200
    drain()
    assert helpers.names() == ["Clicked"]


def _wrapped(key: str) -> dict[str, tuple[str, bytes]]:
    text = msgspec.json.encode({"api_key": key, "batch": [{"event": "Clicked", "distinct_id": "u1"}]})
    return {
        "gzip as text/plain": ("text/plain", gzip.compress(text)),
        "gzip as a form": ("application/x-www-form-urlencoded", gzip.compress(text)),
        "gzip as JSON": ("application/json", gzip.compress(text)),
        "JSON as text/plain": ("text/plain", text),
        "JSON in a form field": ("application/x-www-form-urlencoded", b"data=" + quote(text).encode()),
        "base64 in a form field": (
            "application/x-www-form-urlencoded",
            b"data=" + quote(base64.b64encode(text)).encode(),
        ),
        "raw base64 in a form field": ("application/x-www-form-urlencoded", b"data=" + base64.b64encode(text)),
        "base64 of gzip": ("text/plain", base64.b64encode(gzip.compress(text))),
    }


@pytest.mark.parametrize("wrapping", list(_wrapped("")))
def test_every_wrapping_is_told_from_the_bytes(write_key: str, drain: Any, wrapping: str) -> None:
    content_type, body = _wrapped(write_key)[wrapping]

    assert Client().post("/e/?compression=any", body, content_type=content_type).status_code == 200
    drain()
    assert helpers.names() == ["Clicked"]


HOSTILE = {
    "no JSON": (b"hello there!", 400, "malformed_json"),
    "cut JSON": (b'{"batch": [{"type": "track"', 400, "malformed_json"),
    "empty": (b"", 400, "malformed_body"),
    "bad gzip": (b"\x1f\x8b\x08\x00 this is no gzip", 400, "bad_gzip"),
    "cut gzip": (gzip.compress(b'{"batch": []}' * 100)[:30], 400, "bad_gzip"),
    "gzip bomb": (gzip.compress(b" " * 50_000_000), 413, "too_large"),
    "10 MB": (b'{"batch": [' + b" " * 10_000_000 + b"]}", 413, "too_large"),
    "more than 500 KB": (b'{"batch": ["' + b"x" * 520_000 + b'"]}', 413, "too_large"),
    "batch is no list": (b'{"batch": "x"}', 400, "malformed_json"),
    "nests a million deep": (b'{"batch": ' + b"[" * 200_000, 400, "too_deep"),
    "501 events": (b'{"batch": [' + b",".join([b"{}"] * 501) + b"]}", 413, "too_many_events"),
    "a form without data": (b"data", 400, "malformed_json"),
    "NUL bytes": (b'{"batch": [\x00]}', 400, "malformed_json"),
}


@pytest.mark.parametrize("body", list(HOSTILE))
def test_what_cannot_be_read_is_refused_and_writes_nothing(write_key: str, body: str) -> None:
    content, status, code = HOSTILE[body]

    response = helpers.post("/v1/batch", content, write_key)

    assert (response.status_code, response.json()["code"]) == (status, code)
    assert response.json()["message"]
    assert not IngestBatch.objects.exists()


@pytest.mark.parametrize("key", ["", "wk_unknown", "x" * 5000, "ключ"])
def test_a_wrong_key_is_refused_and_writes_nothing(organization: Any, key: str) -> None:
    response = helpers.post("/v1/batch", {"batch": [EVENT], "writeKey": key})

    assert (response.status_code, response.json()["code"]) == (401, "unauthorized")
    assert not IngestBatch.objects.exists()


def test_a_secret_key_does_not_open_the_public_door(organization: Any) -> None:
    secret = accounts.issue_key("server", ApiKeyKind.SECRET)[1]

    assert helpers.post("/v1/track", EVENT, secret).status_code == 401


def test_a_revoked_key_is_refused_once_it_is_looked_up_again(write_key: str) -> None:
    assert helpers.post("/v1/track", EVENT, write_key).status_code == 200
    accounts.revoke_key(ApiKey.objects.get())
    selectors.forget_keys()

    assert helpers.post("/v1/track", EVENT, write_key).status_code == 401


def test_events_of_a_key_reach_only_its_own_organisation(write_key: str, stranger: Any, drain: Any) -> None:
    with tenancy.organization(stranger.pk):
        other = accounts.issue_key("theirs", ApiKeyKind.WRITE)[1]
    helpers.post("/v1/track", EVENT, write_key)
    helpers.post("/v1/track", {**EVENT, "event": "Theirs"}, other)
    drain()
    doorbell.drain(stranger.pk)

    assert helpers.names() == ["Clicked"]
    with tenancy.organization(stranger.pk):
        assert helpers.names() == ["Theirs"]


def test_an_empty_batch_is_accepted_and_stores_nothing(write_key: str) -> None:
    assert helpers.post("/v1/batch", {"batch": []}, write_key).status_code == 200
    assert not IngestBatch.objects.exists()


def test_a_browser_may_ask_from_any_site_and_remembers_it(organization: Any) -> None:
    response = Client().options(
        "/v1/t",
        HTTP_ORIGIN="https://shop.example",
        HTTP_ACCESS_CONTROL_REQUEST_HEADERS="authorization,content-type,x-retry-count,anonymousid",
    )

    assert response.status_code == 204
    assert response["Access-Control-Allow-Origin"] == "https://shop.example"
    assert response["Access-Control-Allow-Headers"] == "authorization,content-type,x-retry-count,anonymousid"
    assert response["Access-Control-Max-Age"] == "86400"


def test_a_refusal_is_readable_by_a_browser_too(organization: Any) -> None:
    response = Client().post("/v1/t", b"{}", content_type="text/plain", HTTP_ORIGIN="https://shop.example")

    assert response.status_code == 401
    assert response["Access-Control-Allow-Origin"] == "https://shop.example"


def test_configuration_documents_name_the_key_and_the_host(write_key: str) -> None:
    client = Client()
    segment = client.get(f"/v1/projects/{write_key}/settings").json()
    config = client.get(f"/array/{write_key}/config").json()
    script = client.get(f"/array/{write_key}/config.js")

    assert segment["integrations"]["Segment.io"]["apiKey"] == write_key
    assert segment["integrations"]["Segment.io"]["apiHost"] == "testserver/v1"
    assert (config["token"], config["supportedCompression"][0]) == (write_key, "gzip")
    assert script["Content-Type"] == "application/javascript"
    assert f'_POSTHOG_REMOTE_CONFIG["{write_key}"]' in script.content.decode()
    assert client.get("/array/wk_unknown/config").status_code == 401


@pytest.mark.parametrize("path", ["/flags/?v=2", "/flags?v=4", "/decide/?v=3", "/decide"])
def test_a_client_that_asks_for_flags_hears_that_there_are_none(write_key: str, path: str) -> None:
    response = helpers.post(path, {"token": write_key, "distinct_id": "u1"})

    assert (response.status_code, response.json()["featureFlags"]) == (200, {})


def test_a_pixel_can_send_by_get(write_key: str, drain: Any) -> None:
    text = msgspec.json.encode({"event": "Clicked", "distinct_id": "u1", "api_key": write_key})

    assert Client().get("/e/", {"data": base64.b64encode(text).decode(), "ip": "1"}).status_code == 200
    drain()
    assert helpers.names() == ["Clicked"]


def test_accepting_costs_one_statement(write_key: str, django_assert_num_queries: Any) -> None:
    helpers.post("/v1/track", EVENT, write_key)

    with tenancy.nobody(), django_assert_num_queries(1):
        helpers.post("/v1/track", EVENT, write_key)


def test_a_stored_request_keeps_its_events_byte_for_byte() -> None:
    events = [b'{"a": 1.0 , "b":"\\u00e9"}', b"[]"]
    envelope, _ = wire.open_body(
        b'{"batch": [' + b",".join(events) + b'], "sentAt": "2026-01-01T00:00:00Z"}', "track"
    )

    stored = wire.unpack(wire.pack(envelope))

    assert [bytes(event) for event in stored.events] == events
    assert (stored.sent_at, stored.kind) == ("2026-01-01T00:00:00Z", "track")
