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
from common.http import Unreachable

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-One: 1\r\n\r\nhi"


@contextmanager
def listening(speak: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that answers every connection with whatever `speak` sends."""
    server = socket.create_server(("127.0.0.1", 0))
    done = threading.Event()

    def serve() -> None:
        while not done.is_set():
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                try:
                    speak(connection)
                except OSError:
                    continue

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
    finally:
        done.set()
        server.close()


def test_an_answer_is_given_as_it_came() -> None:
    with listening(lambda to: to.sendall(OK)) as url:
        answer = http.request("POST", f"{url}/a?b=1", body=b"{}", public_only=False)
    assert (answer.status, answer.text, answer.headers["x-one"], answer.json) == (200, "hi", "1", None)


def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    moved = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
    with listening(lambda to: to.sendall(moved)) as url:
        assert http.request("GET", url, public_only=False).status == 302


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/", "https://127.1/", "https://localhost/", "https://10.0.0.1/", "https://192.168.1.1/",
        "https://169.254.169.254/latest/meta-data/", "https://[::1]/", "https://[fd00::1]/", "https://0.0.0.0/",
        "https://[::ffff:127.0.0.1]/", "https://[64:ff9b::7f00:1]/", "https://[2002:7f00:1::]/", "https://2130706433/",
        "https://0x7f000001/", "https://100.64.0.1/", "https://224.0.0.1/", "https://[fe80::1%25eth0]/",
    ],
)  # fmt: skip
def test_no_private_machine_is_reached_however_it_is_written(url: str) -> None:
    with pytest.raises((Invalid, Unreachable)) as caught:
        http.request("GET", url, timeout_seconds=2)
    assert isinstance(caught.value, Invalid) or not caught.value.was_sent


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/", "ftp://example.com/", "https://", "https://user:pw@example.com/", "file:///etc/passwd",
        "https://exa mple.com/", "https://example.com/\r\nX: 1", "https://example.com:99999/", "javascript:alert(1)",
        "https://example.com/" + "a" * 2_000, "https://exämple.com/", "", "https://[::1", "https://169.254.169.254/",
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

    def connect(address: Any, *rest: Any, **named: Any) -> Any:
        reached.append(address)
        raise OSError("not in a test")

    monkeypatch.setattr(socket, "create_connection", connect)
    resolve("10.0.0.5", "127.0.0.1")
    with pytest.raises(Invalid, match="private network"):
        http.request("GET", "https://rebound.example/")
    assert reached == []

    resolve("10.0.0.5", "93.184.215.14")
    with pytest.raises(Unreachable):
        http.request("GET", "https://rebound.example/")
    assert reached == [("93.184.215.14", 443)]


def test_a_host_the_operator_named_may_be_private(settings: Any) -> None:
    settings.OUTGOING_PRIVATE_HOSTS = ["127.0.0.1"]
    with listening(lambda to: to.sendall(OK)) as url:
        assert http.request("GET", url).status == 200


def test_dribbling_and_flooding_are_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    def dribble(to: socket.socket) -> None:
        to.sendall(b"HTTP/1.1 200 OK\r\n")
        for _ in range(100):
            to.sendall(b"X: 1\r\n")
            threading.Event().wait(0.05)

    with listening(dribble) as url, pytest.raises(Unreachable) as caught:
        http.request("GET", url, timeout_seconds=0.4, public_only=False)
    assert caught.value.was_sent

    monkeypatch.setattr(http, "MOST_BYTES", 1_000)
    flood = b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + b"x" * 5_000
    with listening(lambda to: to.sendall(flood)) as url, pytest.raises(Unreachable):
        http.request("GET", url, public_only=False)


def test_nobody_there_was_sent_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(Unreachable) as caught:
        http.request("GET", f"http://127.0.0.1:{port}/", public_only=False)
    assert not caught.value.was_sent
