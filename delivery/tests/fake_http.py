"""Servers that behave as providers do, on a bad day too; and accounts of every kind that lead there."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from delivery.domain import payloads
from delivery.domain.outcomes import Envelope
from delivery.providers import webpush

Say = tuple[int, dict[str, str], bytes]
HANG_SECONDS = 60  # far longer than anybody waits; a test that ends does not wait for it


@dataclass
class Asked:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class FakeServer:
    """Answers with `say` (status, headers, body), or `hang`s or `drop`s after it has read the whole request."""

    say: Say | str = (200, {}, b"{}")
    asked: list[Asked] = field(default_factory=list)
    # Paths that answer for themselves.
    routes: dict[str, Callable[[Asked], Say]] = field(default_factory=dict)
    url: str = ""
    over: threading.Event = field(default_factory=threading.Event)

    def messages(self) -> list[Asked]:
        return [each for each in self.asked if each.path not in self.routes]


def _handler(fake: FakeServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(self.command, self.path, headers, body)
            fake.asked.append(asked)
            say = fake.routes[self.path](asked) if self.path in fake.routes else fake.say
            if say == "hang":
                fake.over.wait(HANG_SECONDS)
            if isinstance(say, str):
                self.close_connection = True
                return
            status, extra, answer = say
            self.send_response(status)
            for name, value in extra.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *args: Any) -> None:
            """Quiet."""

    return Handler


@contextmanager
def serving() -> Iterator[FakeServer]:
    """A fake server on a free port."""
    fake = FakeServer()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(fake))
    fake.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        fake.over.set()
        server.shutdown()
        server.server_close()


# --- a browser and an app ---------------------------------------------------------------------------

BROWSER_KEY = ec.derive_private_key(4711, ec.SECP256R1())
BROWSER_SECRET = bytes(range(16))
SIGNING_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
VAPID = webpush.new_private_key()


def text64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def browser_keys() -> dict[str, str]:
    point = BROWSER_KEY.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )
    return {"p256dh": text64(point), "auth": text64(BROWSER_SECRET)}


def service_account(url: str) -> str:
    pem = SIGNING_KEY.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return json.dumps(
        {
            "type": "service_account",
            "project_id": "acme",
            "client_email": "sender@acme.example",
            "private_key": pem.decode(),
            "private_key_id": "k1",
            "token_uri": f"{url}/token",
        }
    )


# --- every kind -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Kind:
    """A kind under test: its account, its good answer, the answer for a dead address, and a message."""

    name: str
    channel: str
    values: Callable[[str], dict[str, Any]]
    good: Say
    payload: Callable[[str], Any]
    dead: Say | None = None
    refusal: Say = (400, {}, b'{"error": "bad request"}')
    reads_answers: bool = True
    is_one_service: bool = True
    provider_id: str = ""


def _json(value: Any, status: int = 200) -> Say:
    return status, {"Content-Type": "application/json"}, json.dumps(value).encode()


def _fcm_error(status: int, word: str) -> Say:
    details = [{"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": word}]
    return _json({"error": {"code": status, "message": word, "details": details}}, status)


def push_to(kind: str, token: str) -> payloads.Push:
    keys = browser_keys() if kind == "web_push" else {}
    return payloads.Push(
        "Hello", "How are you?", payloads.Device(7, kind, token, keys), "gs-1-2", "https://x.example/"
    )


SMS = payloads.Text("Hello Ada")
KINDS = {
    "twilio": Kind(
        "twilio",
        "sms",
        lambda url: {"account_sid": "AC1", "auth_token": "word", "sender": "+447700900000", "base_url": url},
        _json({"sid": "SM1", "status": "queued"}, 201),
        lambda url: SMS,
        dead=_json({"code": 21211, "message": "Invalid 'To' Phone Number", "status": 400}, 400),
        provider_id="SM1",
    ),
    "http_text": Kind(
        "http_text",
        "sms",
        lambda url: {
            "url": f"{url}/send",
            "format": "json",
            "body": '{"to": "{to}", "message": "{text}"}',
            "headers": "X-Key: abc",
            "id_path": "messages.0.id",
        },
        _json({"messages": [{"id": "m-1"}]}),
        lambda url: SMS,
        provider_id="m-1",
    ),
    "web_push": Kind(
        "web_push",
        "push",
        lambda url: {"private_key": VAPID, "subject": "mailto:a@b.example"},
        (201, {"Location": "/m/1"}, b""),
        lambda url: push_to("web_push", f"{url}/push/abc"),
        dead=(410, {}, b"gone"),
        reads_answers=False,
        is_one_service=False,
        provider_id="/m/1",
    ),
    "fcm": Kind(
        "fcm",
        "push",
        lambda url: {"service_account": service_account(url), "base_url": url},
        _json({"name": "projects/acme/messages/1"}),
        lambda url: push_to("fcm", "token-1"),
        dead=_fcm_error(404, "UNREGISTERED"),
        provider_id="projects/acme/messages/1",
    ),
    "slack by webhook": Kind(
        "slack",
        "slack",
        lambda url: {"webhook_url": f"{url}/services/T/B/x"},
        (200, {}, b"ok"),
        lambda url: payloads.Note("Hello"),
    ),
    "slack by token": Kind(
        "slack",
        "slack",
        lambda url: {"token": "xoxb-1", "room": "C1", "base_url": url},
        _json({"ok": True, "ts": "1.2"}),
        lambda url: payloads.Note("Hello"),
        provider_id="1.2",
    ),
    "webhook": Kind(
        "webhook",
        "webhook",
        lambda url: {"url": f"{url}/hook", "secret": "whsec_" + base64.b64encode(b"k" * 32).decode()},
        (204, {}, b""),
        lambda url: payloads.Call("contact.vip", {"a": 1}, 5, datetime(2026, 11, 18, tzinfo=UTC)),
        reads_answers=False,
        provider_id="msg_1-2",
    ),
}


def give_token(asked: Asked) -> Say:
    """What Google's token endpoint answers."""
    return _json({"access_token": "ya29", "expires_in": 3600})


def envelope(kind: Kind, url: str, message_id: int = 2) -> Envelope:
    return Envelope(message_id, "", "+447700900123", b"", kind.payload(url), f"1-{message_id}")
