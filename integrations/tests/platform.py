"""A platform on a local port: it behaves like each of the five, and can be told to misbehave."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Reply = tuple[int, dict[str, str], Any]


@dataclass
class Platform:
    """`audience` is who is in it: tuples of identifiers. `trouble` answers in the place of the next requests."""

    address: str = ""
    kind: str = ""
    audience: set[tuple[str, ...]] = field(default_factory=set)
    requests: list[tuple[str, str, dict[str, str], Any]] = field(default_factory=list)
    trouble: list[str] = field(default_factory=list)
    bad: set[str] = field(default_factory=set)
    jobs: dict[str, list[Any]] = field(default_factory=dict)

    def answer(self, method: str, path: str, headers: dict[str, str], raw: bytes) -> Reply | None:
        body = json.loads(raw) if raw[:1] in (b"{", b"[") else raw.decode()
        self.requests.append((method, path, headers, body))
        if path == "/token":
            return 200, {}, {"access_token": "fresh", "expires_in": 3599}
        trouble = self.trouble.pop(0) if self.trouble else ""
        if trouble == "refused":
            return REFUSED[self.kind]
        if trouble == "too many":
            return 429, {"Retry-After": "77"}, {"message": "slow down"}
        if trouble == "broken":
            return 503, {}, {"message": "maintenance"}
        if trouble == "nonsense":
            return 200, {}, "<html>hello</html>"
        reply = SPEAKERS[self.kind](self, method, path, body)
        if trouble == "silence":  # it has done what it was asked, and says nothing
            time.sleep(0.2)
            return None
        return reply

    def change(self, row: tuple[str, ...], *, is_removal: bool) -> None:
        if is_removal:
            self.audience.discard(row)
        else:
            self.audience.add(row)


REFUSED: dict[str, Reply] = {
    "meta": (400, {}, {"error": {"message": "Invalid OAuth access token.", "code": 190}}),
    "google_ads": (403, {}, {"error": {"code": 403, "message": "The caller does not have permission"}}),
    "tiktok": (200, {}, {"code": 40105, "message": "Access token is incorrect or has been revoked."}),
    "linkedin": (401, {}, {"status": 401, "message": "Empty oauth2 access token"}),
    "webhook": (401, {}, {"message": "who are you"}),
}


def _meta(platform: Platform, method: str, path: str, body: Any) -> Reply:
    if path.endswith("/customaudiences"):
        return 200, {}, {"id": "238001"}
    rows = body["payload"]["data"]
    for row in rows:
        platform.change(tuple(row), is_removal=method == "DELETE")
    return 200, {}, {"audience_id": "238001", "num_received": len(rows), "num_invalid_entries": 0}


def _google(platform: Platform, method: str, path: str, body: Any) -> Reply:
    if path.endswith("/userLists:mutate"):
        return 200, {}, {"results": [{"resourceName": "customers/123/userLists/9"}]}
    if path.endswith("/offlineUserDataJobs:create"):
        name = f"customers/123/offlineUserDataJobs/{len(platform.jobs)}"
        platform.jobs[name] = []
        return 200, {}, {"resourceName": name}
    name, _, act = path.removeprefix("/v24/").partition(":")
    if act == "run":
        for row, is_removal in platform.jobs[name]:
            platform.change(row, is_removal=is_removal)
        return 200, {}, {"name": "operations/1"}
    errors = []
    for place, operation in enumerate(body["operations"]):
        change, said = next(iter(operation.items()))
        found = {key: value for each in said["userIdentifiers"] for key, value in each.items()}
        row = (found.get("hashedEmail", ""), found.get("hashedPhoneNumber", ""))
        if platform.bad & set(row):
            steps = [{"fieldName": "operations", "index": place}, {"fieldName": change}]
            errors.append({"message": "bad hash", "location": {"fieldPathElements": steps}})
        else:
            platform.jobs[name].append((row, change == "remove"))
    return 200, {}, {"partialFailureError": {"code": 3, "details": [{"errors": errors}]}} if errors else {}


def _tiktok(platform: Platform, method: str, path: str, body: Any) -> Reply:
    if path.endswith("/segment/audience/"):
        return 200, {}, {"code": 0, "message": "OK", "data": {"audience_id": "7001"}}
    for row in body["batch_data"]:
        platform.change(tuple(cell.get("id", "") for cell in row), is_removal=body["action"] == "delete")
    return 200, {}, {"code": 0, "message": "OK", "data": {}}


def _linkedin(platform: Platform, method: str, path: str, body: Any) -> Reply:
    if path.endswith("/dmpSegments"):
        return 201, {"x-restli-id": "10804"}, {}
    told = []
    for element in body["elements"]:
        value = element["userIds"][0]["idValue"]
        if value in platform.bad:
            told.append({"status": 400, "error": {"message": "bad hash"}})
            continue
        platform.change((value, ""), is_removal=element["action"] == "REMOVE")
        told.append({"status": 201})
    return 200, {}, {"elements": told}


def _webhook(platform: Platform, method: str, path: str, body: Any) -> Reply:
    refused = {}
    for side in ("added", "removed"):
        for person in body["data"][side]:
            row = (person["email_sha256"] or "", person["phone_sha256"] or "")
            if platform.bad & set(row):
                refused[person["id"]] = "bad hash"
            else:
                platform.change(row, is_removal=side == "removed")
    return 200, {}, {"refused": refused}


SPEAKERS: dict[str, Callable[[Platform, str, str, Any], Reply]] = {
    "meta": _meta, "google_ads": _google, "tiktok": _tiktok, "linkedin": _linkedin, "webhook": _webhook,
}  # fmt: skip


@contextmanager
def serving(kind: str) -> Iterator[Platform]:
    """The platform, until the block ends."""
    platform = Platform(kind=kind)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one_request(self) -> None:
            try:
                super().handle_one_request()
            except ConnectionError:
                self.close_connection = True

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            reply = platform.answer(self.command, self.path, headers, raw)
            if reply is None:
                self.close_connection = True
                self.connection.close()
                return
            status, more, content = reply
            body = content.encode() if isinstance(content, str) else json.dumps(content).encode()
            self.send_response(status)
            for name, value in more.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_DELETE = do_POST  # noqa: N815 — the base class asks for this name

        def log_message(self, *args: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    platform.address = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield platform
    finally:
        server.shutdown()
        server.server_close()
