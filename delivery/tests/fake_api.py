"""A server on this machine that behaves like the APIs of the seven providers, and misbehaves on demand."""

from __future__ import annotations

import base64
import json
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

from delivery import links


@dataclass
class Request:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(self.body.decode()).items()}

    @property
    def mime(self) -> Any:
        raw = base64.b64decode(self.json["Content"]["Raw"]["Data"])
        return message_from_bytes(raw, policy=policy.default)


@dataclass(frozen=True)
class Reply:
    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0  # to wait before answering
    hangs_up: bool = False  # instead of answering


@dataclass(frozen=True)
class Fake:
    """How one provider is spoken to: where, what says yes, and where in a request our reference is."""

    name: str
    path: str
    settings: dict[str, Any]
    yes: Callable[[Request], Reply]
    reference: Callable[[Request], str]
    refusal: Callable[[int, str], Reply] = lambda status, text: Reply(status, {"message": text})


def _ses_refusal(status: int, text: str) -> Reply:
    code = {400: "BadRequestException", 401: "UnrecognizedClientException", 429: "TooManyRequestsException"}
    return Reply(status, {"message": text}, {"x-amzn-ErrorType": code.get(status, "InternalFailure")})


FAKES = {
    fake.name: fake
    for fake in [
        Fake(
            "postmark", "/email", {"server_token": "token-1"},
            lambda request: Reply(body={
                "ErrorCode": 0, "Message": "OK", "MessageID": str(uuid.uuid4()), "To": request.json["To"],
            }),
            lambda request: request.json["Metadata"]["groundswell"],
            lambda status, text: Reply(status, {"ErrorCode": 300, "Message": text}),
        ),
        Fake(
            "sendgrid", "/mail/send", {"api_key": "key-1"},
            lambda request: Reply(202, ""),
            lambda request: request.json["custom_args"]["groundswell"],
            lambda status, text: Reply(status, {"errors": [{"message": text}]}),
        ),
        Fake(
            "mailgun", "/mg.example.com/messages", {"api_key": "key-1", "domain": "mg.example.com"},
            lambda request: Reply(body={"id": f"<{uuid.uuid4()}@mg.example.com>", "message": "Queued. Thank you."}),
            lambda request: request.form["v:groundswell"],
        ),
        Fake(
            "resend", "/emails", {"api_key": "key-1"},
            lambda request: Reply(body={"id": str(uuid.uuid4())}),
            lambda request: json.loads(request.json["headers"]["X-Metadata"])["groundswell"],
        ),
        Fake(
            "brevo", "/smtp/email", {"api_key": "key-1"},
            lambda request: Reply(201, {"messageId": f"<{uuid.uuid4()}@smtp-relay.example>"}),
            lambda request: json.loads(request.json["headers"]["X-Mailin-custom"])["groundswell"],
        ),
        Fake(
            "sparkpost", "/transmissions/", {"api_key": "key-1"},
            lambda request: Reply(body={"results": {
                "total_rejected_recipients": 0, "total_accepted_recipients": 1, "id": "102258889940193104",
            }}),
            lambda request: request.json["metadata"]["groundswell"],
            lambda status, text: Reply(status, {"errors": [{"message": text, "code": "1"}]}),
        ),
        Fake(
            "amazon_ses", "/v2/email/outbound-emails",
            {"access_key_id": "AKIDEXAMPLE", "secret_access_key": "secret", "region": "eu-west-1"},
            lambda request: Reply(body={"MessageId": f"0102-{uuid.uuid4()}"}),
            lambda request: json.loads(request.mime["X-Metadata"])["groundswell"],
            _ses_refusal,
        ),
    ]
}  # fmt: skip


class FakeApi:
    """Takes requests for one provider. `behave(request, nth)` may answer instead of it; None lets it say yes.

    `taken` counts messages by our id, as the provider would send them on.
    """

    def __init__(self, fake: Fake) -> None:
        self.fake = fake
        self.requests: list[Request] = []
        self.taken: Counter[int] = Counter()
        self.behave: Callable[[Request, int], Reply | None] = lambda request, nth: None
        self.visits: list[str] = []
        self.seconds = 0.0
        self.url = ""
        self._lock = threading.Lock()
        self._keys: dict[str, Reply] = {}

    def take(self, request: Request) -> Reply:
        """Take the message as the provider does; one with a key that it has had already is not sent again."""
        with self._lock:
            key = self._key(request)
            if key in self._keys:
                duplicate = Reply(400, {"code": "duplicate_parameter", "message": "known"})
                return duplicate if self.fake.name == "brevo" else self._keys[key]
            known = links.read(links.REPORT, self.fake.reference(request))
            assert known is not None
            self.taken[known.message_id] += 1
            reply = self.fake.yes(request)
            if key:
                self._keys[key] = reply
            return reply

    def _key(self, request: Request) -> str:
        if self.fake.name == "resend":
            return request.headers.get("idempotency-key", "")
        if self.fake.name == "brevo":
            return str(request.json["headers"].get("idempotencyKey", ""))
        return ""

    def answer(self, request: Request) -> Reply:
        with self._lock:
            self.requests.append(request)
            nth = len(self.requests)
        time.sleep(self.seconds)
        if not request.path.startswith(self.fake.path):
            return Reply(404, {"message": "no such path"})
        return self.behave(request, nth) or self.take(request)


@contextmanager
def serving(name: str) -> Iterator[FakeApi]:
    """A provider's API on a free port of this machine."""
    api = FakeApi(FAKES[name])

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            api.visits.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {key.lower(): value for key, value in self.headers.items()}
            reply = api.answer(Request(self.path, headers, body))
            time.sleep(reply.seconds)
            if reply.hangs_up:
                self.close_connection = True
                return
            text = reply.body if isinstance(reply.body, str) else json.dumps(reply.body)
            self.send_response(reply.status)
            for key, value in {"Content-Type": "application/json", **reply.headers}.items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *args: object) -> None:
            """Silent."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64

        def handle_error(self, *args: object) -> None:
            """Clients that are killed leave broken pipes."""

    server = Server(("127.0.0.1", 0), Handler)
    api.url = f"http://127.0.0.1:{server.server_address[1]}/"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
