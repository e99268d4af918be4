"""Requests to other people's machines: never to a private one, never for longer or more than we listen to."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from common import http
from common.errors import Invalid
from common.http import Client, NoAnswer, NotSent

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-One: 1\r\n\r\nhi"


@contextmanager
def listening(speak: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that answers every connection with whatever `speak` sends."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                try:
                    connection.recv(65536)
                    speak(connection)
                except OSError:
                    continue

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
    finally:
        server.close()


def call(url: str, *, guarded: bool = False, answer_seconds: float = 5.0) -> http.Answer:
    client = Client(guarded=guarded, answer_seconds=answer_seconds)
    try:
        return client.call("POST", url, body=b"{}")
    finally:
        client.close()


def test_an_answer_is_given_as_it_came_and_a_redirect_is_one() -> None:
    with listening(lambda to: to.sendall(OK)) as url:
        answer = call(f"{url}/a?b=1")
    assert (answer.status, answer.text, answer.headers["x-one"]) == (200, "hi", "1")

    moved = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
    with listening(lambda to: to.sendall(moved)) as url:
        assert call(url).status == 302


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "127.1", "localhost", "10.0.0.1", "192.168.1.1", "169.254.169.254", "[::1]", "[fd00::1]",
        "0.0.0.0", "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "2130706433", "0x7f000001",
        "100.64.0.1", "224.0.0.1", "[::]",
    ],
)  # fmt: skip
def test_no_private_machine_is_reached_however_it_is_written(host: str) -> None:
    with pytest.raises(NotSent):
        call(f"http://{host}:9/", guarded=True)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/", "https://", "https://user:pw@example.com/", "file:///etc/passwd", "javascript:alert(1)",
        "https://example.com/\r\nX: 1", "https://example.com:99999/", "", "https://[::1", "https://169.254.169.254/",
        "https://[::ffff:10.0.0.1]/", "https://example.com:0/",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused_before_anything_is_asked(url: str) -> None:
    with pytest.raises(Invalid):
        http.check_url(url)


def test_a_name_that_leads_inside_is_refused_and_one_that_leads_to_both_goes_outside(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def resolve(*addresses: str) -> None:
        rows = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in addresses]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **named: rows)

    reached: list[Any] = []

    def connect(self: Any, address: Any) -> None:
        reached.append(address)
        raise OSError("not in a test")

    monkeypatch.setattr(socket.socket, "connect", connect)
    resolve("10.0.0.5", "127.0.0.1")
    with pytest.raises(NotSent, match="must not be called"):
        call("https://rebound.example/", guarded=True)
    assert reached == []

    resolve("10.0.0.5", "93.184.215.14")
    with pytest.raises(NotSent):
        call("https://rebound.example/", guarded=True)
    assert reached == [("93.184.215.14", 443)]


def test_a_host_the_operator_named_may_be_private(settings: Any) -> None:
    settings.PRIVATE_HOSTS_ALLOWED = ["127.0.0.1"]
    with listening(lambda to: to.sendall(OK)) as url:
        assert call(url, guarded=True).status == 200


def test_a_flood_and_a_slow_body_are_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    def dribble(to: socket.socket) -> None:
        to.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n")
        for _ in range(100):
            to.sendall(b"xxxx")
            threading.Event().wait(0.05)

    with listening(dribble) as url, pytest.raises(NoAnswer):
        call(url, answer_seconds=0.4)

    monkeypatch.setattr(http, "MOST_ANSWER_BYTES", 1_000)
    flood = b"HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n" + b"x" * 50_000
    with listening(lambda to: to.sendall(flood)) as url, pytest.raises(NoAnswer):
        call(url)


def drip(to: socket.socket, beginning: bytes, rest: bytes) -> None:
    """Two seconds' worth of single bytes, and then all that was missing."""
    to.sendall(beginning)
    for _ in range(40):
        to.sendall(b"x")
        threading.Event().wait(0.05)
    to.sendall(rest)


@pytest.mark.parametrize("guarded", [True, False])
@pytest.mark.parametrize(
    ("beginning", "rest"),
    [
        (b"HTTP/1.1 200 OK\r\nX-Slow: ", b"\r\nContent-Length: 2\r\n\r\nhi"),
        (b"HTTP/1.1 200 ", b"\r\nContent-Length: 2\r\n\r\nhi"),
        (b"HTTP/1.1 200 OK\r\n\r\n", b""),  # its end is the end of the connection
    ],
    ids=["headers", "status", "a body without a length"],
)
def test_an_answer_in_drops_is_cut_off_wherever_it_drips(
    settings: Any, guarded: bool, beginning: bytes, rest: bytes
) -> None:
    settings.PRIVATE_HOSTS_ALLOWED = ["127.0.0.1"]
    with listening(lambda to: drip(to, beginning, rest)) as url, pytest.raises(NoAnswer, match="within the time"):
        call(url, guarded=guarded, answer_seconds=0.3)


def test_a_greeting_in_drops_is_cut_off_before_anything_is_sent() -> None:
    with listening(lambda to: drip(to, b"\x16\x03\x03\x40\x00\x02", b"")) as url:
        with pytest.raises(NotSent, match="within the time"):
            call(url.replace("http://", "https://"), answer_seconds=0.3)


def test_what_was_quick_may_be_used_again_after_its_time() -> None:
    def twice(to: socket.socket) -> None:
        to.sendall(OK)
        to.recv(65536)
        to.sendall(OK)

    with listening(twice) as url:
        client = Client(guarded=False, answer_seconds=1)
        assert client.call("GET", url).status == 200
        threading.Event().wait(1.1)
        assert client.call("GET", url).status == 200
        client.close()


def test_nobody_there_was_sent_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(NotSent):
        call(f"http://127.0.0.1:{port}/")
