"""A server in front of the server that fails the way networks and deploys fail."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


@dataclass
class Plan:
    """What goes wrong: the first `refuse` POSTs are answered 500 unseen; the next `forget` arrive and are, too."""

    refuse: int = 0
    forget: int = 0
    seen: list[tuple[str, int]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def verdict(self) -> str:
        with self.lock:
            if self.refuse > 0:
                self.refuse -= 1
                return "refuse"
            if self.forget > 0:
                self.forget -= 1
                return "forget"
            return "pass"


@contextmanager
def in_front_of(url: str, plan: Plan) -> Iterator[str]:
    """The address of a proxy that forwards to `url` as `plan` allows."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(urlsplit(url), plan))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(target: object, plan: Plan) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            verdict = plan.verdict()
            status, answer = 500, b"{}"
            if verdict != "refuse":
                status, answer = self._forward(body)
            if verdict == "forget":
                status, answer = 500, b"{}"
            plan.seen.append((self.path, status))
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def _forward(self, body: bytes) -> tuple[int, bytes]:
            connection = http.client.HTTPConnection(target.hostname, target.port, timeout=60)  # type: ignore[attr-defined]
            headers = {
                name: value
                for name, value in self.headers.items()
                if name.lower() not in ("host", "transfer-encoding")
            }
            headers["Content-Length"] = str(len(body))
            connection.request("POST", self.path, body, headers)
            response = connection.getresponse()
            answer = response.read()
            connection.close()
            return response.status, answer

        def log_message(self, format: str, *arguments: object) -> None:
            """Quiet."""

    return Handler
