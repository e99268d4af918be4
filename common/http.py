"""HTTP calls out of the house, and whether anything left when one fails.

Addresses that people typed in are `guarded`: names are resolved once, and only public addresses are connected to, so
nobody reaches our own network through us (SSRF). Redirects are not followed.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import urllib3
from django.conf import settings
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NameResolutionError, NewConnectionError

from common.errors import Invalid

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 20.0
MOST_ANSWER_BYTES = 1_000_000
TOO_SLOW = "no whole answer within the time for one"
# Ways to write an IPv4 address as an IPv6 one; what they lead to is nobody's business here.
WRAPPED = tuple(ipaddress.ip_network(each) for each in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32"))


class NotSent(Exception):
    """Nothing of the request left the house: no such host, refused, forbidden address, no TLS."""


class NoAnswer(Exception):
    """The request went out, at least in part, and no whole answer came: nobody knows whether it was heeded."""


@dataclass(frozen=True)
class Answer:
    """`headers` has lower-case names."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace").replace("\x00", "")

    @property
    def retry_after_seconds(self) -> float | None:
        """What `Retry-After` asks for, in seconds; a date is not looked at."""
        text = self.headers.get("retry-after", "").strip()
        return float(text) if text.isascii() and text.isdigit() and len(text) < 7 else None


def check_url(url: str, place: str = "url") -> None:
    """Raise `Invalid` unless this is an address that a guarded call may be tried at. Resolves nothing."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    sentence = ""
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0 or not url.isprintable():
        sentence = "An address looks like https://example.com/path."
    elif parts.username or parts.password:
        sentence = "An address carries no user name or password."
    elif _is_forbidden_literal(parts.hostname):
        sentence = f"{parts.hostname} is an address inside a network; give a public one."
    if sentence:
        raise Invalid(sentence, details={place: sentence})


def _is_forbidden_literal(host: str) -> bool:
    try:
        return not is_public(host) and not _is_exempt(host)
    except ValueError:
        return False


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the public internet. Raises ValueError when it is not an IP address."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return is_public(str(ip.ipv4_mapped))
        if any(ip in network for network in WRAPPED):
            return False
    return ip.is_global and not ip.is_multicast


def _is_exempt(host: str) -> bool:
    """The operator may name hosts of the own network that may be called all the same."""
    return host.lower() in settings.PRIVATE_HOSTS_ALLOWED


class Client:
    """Keeps connections open between calls. For one thread."""

    def __init__(
        self, *, guarded: bool, answer_seconds: float = ANSWER_SECONDS, connect_seconds: float = CONNECT_SECONDS
    ) -> None:
        self._seconds = answer_seconds
        timeout = urllib3.Timeout(connect=connect_seconds, read=answer_seconds)
        self._pools = urllib3.PoolManager(num_pools=8, maxsize=1, retries=False, timeout=timeout)
        schemes = GUARDED_POOLS if guarded else WATCHED_POOLS
        self._pools.pool_classes_by_scheme = schemes  # type: ignore[assignment]

    def call(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Answer:
        """One request and its whole answer, of at most MOST_ANSWER_BYTES. Raises `NotSent` or `NoAnswer`.

        From the moment it is connected all of it takes at most the seconds for an answer.
        """
        line = _exchange.line = _Line(self._seconds)
        try:
            response = self._pools.request(
                method, url, headers=dict(headers or {}), body=body, redirect=False, preload_content=False
            )
            return self._whole(response, line)
        except (HTTPError, OSError, ValueError) as error:
            said = TOO_SLOW if line.is_cut else _sentence(error)
            raise (NoAnswer(said) if line.is_used else NotSent(said)) from error
        finally:
            line.let_go()

    def _whole(self, response: Any, line: _Line) -> Answer:
        pieces: list[bytes] = []
        size = 0
        try:
            for piece in response.stream(16_384, decode_content=True):
                size += len(piece)
                if size > MOST_ANSWER_BYTES:
                    raise NoAnswer("the answer was too long")
                pieces.append(piece)
            if line.is_cut:  # the end of an answer without a length may be the cut
                raise NoAnswer(TOO_SLOW)
        except BaseException:
            response.close()
            raise
        response.release_conn()
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status, headers, b"".join(pieces))

    def close(self) -> None:
        """Close what is open; the next call opens anew."""
        self._pools.clear()


class _Line:
    """The connection of one exchange: cut when its time is over, whatever trickles in or out meanwhile."""

    def __init__(self, seconds: float) -> None:
        self.is_used = False  # a byte of the request left
        self.is_cut = False
        self._seconds = seconds
        self._held: socket.socket | None = None
        self._timer: threading.Timer | None = None
        self._lock = threading.Lock()

    def hold(self, connected: socket.socket) -> None:
        """The time begins. Keeps a duplicate: TLS takes the socket itself apart."""
        if self._held is None:
            self._held = socket.socket(fileno=os.dup(connected.fileno()))
            self._timer = threading.Timer(self._seconds, self._cut)
            self._timer.daemon = True
            self._timer.start()

    def let_go(self) -> None:
        """The exchange is over; the connection may be used again."""
        if self._timer is not None:
            self._timer.cancel()
        with self._lock:
            if self._held is not None:
                self._held.close()
                self._held = None

    def _cut(self) -> None:
        with self._lock, suppress(OSError):
            if self._held is not None:
                self.is_cut = True
                self._held.shutdown(socket.SHUT_RDWR)


class _Exchange(threading.local):
    line = _Line(0)


_exchange = _Exchange()


def _sentence(error: Exception) -> str:
    if isinstance(error, NameResolutionError):
        return "the host name does not exist"
    # urllib3's NewConnectionError is a ConnectTimeoutError, too.
    if isinstance(error, ConnectTimeoutError) and not isinstance(error, NewConnectionError):
        return "no connection within the time for one"
    reason = str(error).rpartition(": ")[2] if isinstance(error, NewConnectionError) else str(error)
    return reason.replace("\x00", "")[:300] or type(error).__name__


def _leaves(connection: Any) -> None:
    """The next byte of a request leaves."""
    if connection.sock is None:
        connection.connect()
    _exchange.line.hold(connection.sock)  # one that was kept open
    _exchange.line.is_used = True


def _held(connected: socket.socket) -> socket.socket:
    _exchange.line.hold(connected)
    return connected


class _Watched(HTTPConnection):
    """Notes when the first byte of a request leaves, and when there is a connection."""

    def send(self, data: Any) -> None:
        _leaves(self)
        super().send(data)

    def _new_conn(self) -> socket.socket:
        return _held(super()._new_conn())


class _WatchedTls(HTTPSConnection):
    def send(self, data: Any) -> None:
        _leaves(self)
        super().send(data)

    def _new_conn(self) -> socket.socket:
        return _held(super()._new_conn())


class _Guarded(_Watched):
    def _new_conn(self) -> socket.socket:
        return _held(_connect(self))


class _GuardedTls(_WatchedTls):
    def _new_conn(self) -> socket.socket:
        return _held(_connect(self))


def _connect(connection: Any) -> socket.socket:
    """A socket to the first public address of the host: resolved once, so that a second look cannot differ."""
    host: str = connection._dns_host.strip("[]")
    try:
        found = socket.getaddrinfo(host, connection.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NewConnectionError(connection, "the host name does not exist") from error
    usable = [entry for entry in found if _is_exempt(host) or is_public(str(entry[4][0]))]
    if not usable:
        raise NewConnectionError(connection, f"{host} leads into a network that must not be called")
    family, kind, protocol, _, address = usable[0]
    made = socket.socket(family, kind, protocol)
    made.settimeout(CONNECT_SECONDS)
    try:
        made.connect(address)
    except TimeoutError as error:
        made.close()
        raise ConnectTimeoutError(connection, f"no connection within {CONNECT_SECONDS:g} s") from error
    except OSError as error:
        made.close()
        raise NewConnectionError(connection, error.strerror or str(error)) from error
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made


def _pools(plain: type[HTTPConnection], tls: type[HTTPSConnection]) -> dict[str, type]:
    """urllib3's pools, which make these connections."""
    http = type("HttpPool", (urllib3.HTTPConnectionPool,), {"ConnectionCls": plain})
    https = type("HttpsPool", (urllib3.HTTPSConnectionPool,), {"ConnectionCls": tls})
    return {"http": http, "https": https}


WATCHED_POOLS = _pools(_Watched, _WatchedTls)
GUARDED_POOLS = _pools(_Guarded, _GuardedTls)
