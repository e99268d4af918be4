"""HTTP calls out of the house, and whether anything left when one fails.

Addresses that people typed in are `guarded`: names are resolved once, and only public addresses are connected to, so
nobody reaches our own network through us (SSRF). Redirects are not followed.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from collections.abc import Mapping
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

    def __init__(self, *, guarded: bool, answer_seconds: float = ANSWER_SECONDS) -> None:
        self._seconds = answer_seconds
        timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=answer_seconds)
        self._pools = urllib3.PoolManager(num_pools=8, maxsize=1, retries=False, timeout=timeout)
        schemes = GUARDED_POOLS if guarded else WATCHED_POOLS
        self._pools.pool_classes_by_scheme = schemes  # type: ignore[assignment]

    def call(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Answer:
        """One request and its whole answer, of at most MOST_ANSWER_BYTES. Raises `NotSent` or `NoAnswer`."""
        _written.flag = False
        deadline = time.monotonic() + self._seconds
        try:
            response = self._pools.request(
                method, url, headers=dict(headers or {}), body=body, redirect=False, preload_content=False
            )
            return self._whole(response, deadline)
        except (HTTPError, OSError, ValueError) as error:
            said = _sentence(error)
            raise (NoAnswer(said) if _written.flag else NotSent(said)) from error

    def _whole(self, response: Any, deadline: float) -> Answer:
        pieces: list[bytes] = []
        size = 0
        try:
            for piece in response.stream(16_384, decode_content=True):
                size += len(piece)
                if size > MOST_ANSWER_BYTES or time.monotonic() > deadline:
                    raise NoAnswer("the answer was too long or too slow")
                pieces.append(piece)
        except BaseException:
            response.close()
            raise
        response.release_conn()
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status, headers, b"".join(pieces))

    def close(self) -> None:
        """Close what is open; the next call opens anew."""
        self._pools.clear()


class _Written(threading.local):
    flag = False


_written = _Written()


def _sentence(error: Exception) -> str:
    if isinstance(error, NameResolutionError):
        return "the host name does not exist"
    # urllib3's NewConnectionError is a ConnectTimeoutError, too.
    if isinstance(error, ConnectTimeoutError) and not isinstance(error, NewConnectionError):
        return f"no connection within {CONNECT_SECONDS:g} s"
    reason = str(error).rpartition(": ")[2] if isinstance(error, NewConnectionError) else str(error)
    return reason.replace("\x00", "")[:300] or type(error).__name__


class _Watched(HTTPConnection):
    """Notes when the first byte of a request leaves."""

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        _written.flag = True
        super().send(data)


class _WatchedTls(HTTPSConnection):
    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        _written.flag = True
        super().send(data)


class _Guarded(_Watched):
    def _new_conn(self) -> socket.socket:
        return _connect(self)


class _GuardedTls(_WatchedTls):
    def _new_conn(self) -> socket.socket:
        return _connect(self)


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
