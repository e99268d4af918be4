"""Asking the DNS. Only pages' buttons and daily rounds ask; nothing that sends ever waits for an answer.

DNS_RESOLVER names whom we ask: empty for the machine's own resolver, `host:port` for another, `off` for nobody.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import dns.exception
import dns.name
import dns.rdatatype
import dns.resolver
import dns.reversename
from django.conf import settings

from delivery.domain.zone import Unreachable

SECONDS_PER_QUESTION = 3.0
SECONDS_PER_CHECK = 20.0
Value = TypeVar("Value")


def is_configured() -> bool:
    """Whether there is anybody to ask."""
    return bool(settings.DNS_RESOLVER != "off")


class Resolver:
    """The real DNS, through the resolver that settings name; answers are kept while this object lives."""

    def __init__(self, seconds: float = SECONDS_PER_CHECK) -> None:
        """`seconds` are all that its questions may take together: a zone may lead to hundreds of slow names."""
        self._ends = time.monotonic() + seconds
        where = settings.DNS_RESOLVER
        try:
            self._resolver = dns.resolver.Resolver(configure=not where)
        except dns.exception.DNSException as error:
            raise Unreachable("This machine names no DNS resolver; set DNS_RESOLVER.") from error
        if where:
            host, _, port = where.rpartition(":") if where.count(":") == 1 else (where, "", "")
            self._resolver.nameservers = [host.strip("[]")]
            self._resolver.port = int(port or 53)
        self._resolver.timeout = SECONDS_PER_QUESTION
        self._resolver.lifetime = SECONDS_PER_QUESTION
        self._kept: dict[tuple[str, str], list[Any]] = {}

    def txt(self, name: str) -> list[str]:
        """Each record's strings joined, as SPF, DKIM and DMARC want them."""
        return self._ask(name, "TXT", lambda record: b"".join(record.strings).decode("utf-8", "replace"))

    def mx(self, name: str) -> list[str]:
        """Host names, best first; "" is a null MX (RFC 7505)."""
        found = self._ask(name, "MX", lambda record: (record.preference, _plain(record.exchange)))
        return [host for _, host in sorted(found)]

    def addresses(self, name: str) -> list[str]:
        return self._ask(name, "A", str) + self._ask(name, "AAAA", str)

    def names_of(self, address: str) -> list[str]:
        pointer = dns.reversename.from_address(str(ipaddress.ip_address(address)))
        return self._ask(str(pointer), "PTR", lambda record: _plain(record.target))

    def _ask(self, name: str, kind: str, read: Callable[[Any], Value]) -> list[Value]:
        key = (name.lower().rstrip("."), kind)
        if key not in self._kept:
            self._kept[key] = [read(record) for record in self._answer(name, kind)]
        return self._kept[key]

    def _answer(self, name: str, kind: str) -> Sequence[Any]:
        if time.monotonic() > self._ends:
            raise Unreachable(f"The DNS took too long before {name} ({kind}) was asked for; try again in a minute.")
        try:
            absolute = dns.name.from_text(name.rstrip("."))
            return list(self._resolver.resolve(absolute, kind, search=False))
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except (dns.name.NameTooLong, dns.name.LabelTooLong, dns.name.EmptyLabel, UnicodeError):
            return []  # not a name that the DNS could hold
        except dns.exception.DNSException as error:
            raise Unreachable(f"The DNS gave no answer about {name} ({kind}); try again in a minute.") from error


def _plain(name: Any) -> str:
    return str(name).rstrip(".").lower()
