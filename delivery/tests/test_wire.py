"""What really goes over the wire, read by the other side's own rules."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator
from typing import Any

import http_ece
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from common import http
from common.errors import Invalid
from common.http import Client, NoAnswer, NotSent
from delivery import providers
from delivery.providers import webpush
from delivery.tests.fake_http import (
    BROWSER_KEY,
    BROWSER_SECRET,
    KINDS,
    SIGNING_KEY,
    VAPID,
    FakeServer,
    envelope,
    give_token,
    serving,
)


@pytest.fixture
def server(settings: Any) -> Iterator[FakeServer]:
    settings.PRIVATE_HOSTS_ALLOWED = ["127.0.0.1"]
    with serving() as fake:
        fake.routes["/token"] = give_token
        yield fake


def asked(name: str, server: FakeServer) -> Any:
    kind = KINDS[name]
    server.say = kind.good
    connection = providers.PROVIDERS[kind.name].connect(kind.values(server.url))
    list(connection.deliver(iter([envelope(kind, server.url)])))
    return server.messages()[-1]


def test_a_browser_can_read_its_push_message_and_nobody_else(server: FakeServer) -> None:
    request = asked("web_push", server)
    opened = http_ece.decrypt(request.body, private_key=BROWSER_KEY, auth_secret=BROWSER_SECRET, version="aes128gcm")
    assert b'"title":"Hello"' in opened and b'"tag":"gs-1-2"' in opened
    with pytest.raises(http_ece.ECEException):
        http_ece.decrypt(
            request.body,
            private_key=ec.generate_private_key(ec.SECP256R1()),
            auth_secret=BROWSER_SECRET,
            version="aes128gcm",
        )


def test_the_push_service_can_see_who_sends(server: FakeServer) -> None:
    request = asked("web_push", server)
    token, key = (part.partition("=")[2] for part in request.headers["authorization"][len("vapid ") :].split(", "))
    point = base64.urlsafe_b64decode(key + "=")
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    claims = jwt.decode(token, public, algorithms=["ES256"], audience=server.url)
    assert claims["sub"] == "mailto:a@b.example" and key == webpush.public_key(VAPID)
    assert {name: request.headers[name] for name in ("ttl", "content-encoding", "urgency")} == {
        "ttl": "259200", "content-encoding": "aes128gcm", "urgency": "normal",
    }  # fmt: skip
    assert len(request.headers["topic"]) <= 32


def test_google_can_see_which_service_account_asks(server: FakeServer) -> None:
    request = asked("fcm", server)
    (signed_in,) = [each for each in server.asked if each.path == "/token"]
    assertion = dict(pair.split("=") for pair in signed_in.body.decode().split("&"))["assertion"]
    claims = jwt.decode(assertion, SIGNING_KEY.public_key(), algorithms=["RS256"], audience=f"{server.url}/token")
    assert claims["iss"] == "sender@acme.example" and claims["exp"] - claims["iat"] == 3600
    assert request.path == "/v1/projects/acme/messages:send" and request.headers["authorization"] == "Bearer ya29"
    assert request.json["message"]["token"] == "token-1"
    assert request.json["message"]["notification"] == {"title": "Hello", "body": "How are you?"}


def test_a_receiver_can_prove_a_webhook(server: FakeServer) -> None:
    request = asked("webhook", server)
    signed = f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}.".encode() + request.body
    proof = base64.b64encode(hmac.new(b"k" * 32, signed, hashlib.sha256).digest()).decode()
    assert request.headers["webhook-signature"] == f"v1,{proof}"
    assert request.json == {
        "type": "contact.vip", "timestamp": "2026-11-18T00:00:00+00:00", "contact_id": 5, "data": {"a": 1},
    }  # fmt: skip


def test_what_a_text_says_cannot_fill_other_places(server: FakeServer) -> None:
    from delivery.domain.outcomes import Envelope
    from delivery.domain.payloads import Text

    kind = KINDS["http_text"]
    server.say = kind.good
    connection = providers.PROVIDERS["http_text"].connect(kind.values(server.url))
    hostile = Text('{to} "} , {"x": {from}')
    list(connection.deliver(iter([Envelope(1, "", "+447700900123", b"", hostile, "k")])))
    assert server.messages()[-1].json == {"to": "+447700900123", "message": hostile.text}
    assert server.messages()[-1].headers["x-key"] == "abc"


# --- the guard of calls out of the house -------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/", "http://10.1.2.3/", "http://169.254.169.254/latest", "http://[::1]/", "http://0.0.0.0/",
        "http://[::ffff:127.0.0.1]/", "http://[64:ff9b::7f00:1]/", "http://[2002:7f00:1::]/", "http://100.64.0.1/",
        "ftp://example.com/", "https://", "https://u:p@example.com/", "https://example.com:0/", "https://e\nx.com/",
    ],
)  # fmt: skip
def test_an_address_that_must_not_be_called_is_refused(url: str) -> None:
    with pytest.raises(Invalid) as caught:
        http.check_url(url, "here")
    assert set(caught.value.details) == {"here"}


@pytest.mark.parametrize("host", ["localhost", "127.1", "2130706433", "0x7f.1"])
def test_a_name_that_leads_inside_is_not_called(server: FakeServer, settings: Any, host: str) -> None:
    settings.PRIVATE_HOSTS_ALLOWED = []
    with pytest.raises(NotSent):
        Client(guarded=True).call("POST", server.url.replace("127.0.0.1", host), body=b"x")
    assert server.asked == []


def test_redirects_are_not_followed_and_long_answers_are_cut(server: FakeServer) -> None:
    client = Client(guarded=True)
    server.say = (302, {"Location": "http://127.0.0.1:1/"}, b"")
    assert client.call("POST", server.url, body=b"x").status == 302
    server.say = (200, {}, b"x" * (http.MOST_ANSWER_BYTES + 1))
    with pytest.raises(NoAnswer):
        client.call("POST", server.url, body=b"x")
    server.say = (200, {"Retry-After": "5"}, b"ok")
    answer = client.call("POST", server.url, body=b"x")
    assert (answer.text, answer.retry_after_seconds) == ("ok", 5.0)
