"""SPF as receivers read it (RFC 7208): the record, everything it includes, and whether a server may send.

`walk` follows `include` and `redirect`, counts the look-ups a receiver may need (§4.6.4: ten, and two that find
nothing) and keeps what it saw, so that `permits` is a question to the tree.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from delivery.domain.zone import Zone

MOST_LOOKUPS = 10
MOST_VOID = 2
MOST_MX = 10
STOP_AT = 30  # a tree that includes itself ends here
TERM = re.compile(r"([+\-~?]?)([a-z0-9]+)(?:[:](.*?))?(/\d+(?://\d+)?|//\d+)?", re.IGNORECASE)
MODIFIER = re.compile(r"([a-z][a-z0-9_.\-]*)=(.*)", re.IGNORECASE)
ASKING = ("include", "a", "mx", "ptr", "exists")
RESULTS = {"+": "pass", "-": "fail", "~": "softfail", "?": "neutral"}

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass
class Mechanism:
    """One term as it was written, with the networks or the record it stands for."""

    text: str
    qualifier: str
    name: str
    networks: list[Network] = field(default_factory=list)
    included: Record | None = None


@dataclass
class Record:
    """The SPF record of one domain; `problem` says why there is none that counts."""

    domain: str
    text: str = ""
    mechanisms: list[Mechanism] = field(default_factory=list)
    redirect: Record | None = None
    problem: str = ""

    @property
    def ending(self) -> str:
        """What becomes of everybody else: the qualifier of `all`, followed through `redirect`; "" without one."""
        for each in self.mechanisms:
            if each.name == "all":
                return each.qualifier
        return self.redirect.ending if self.redirect else ""


@dataclass
class Walk:
    """The tree and what it costs."""

    record: Record
    lookups: int = 0
    void_lookups: int = 0
    problems: list[str] = field(default_factory=list)


def walk(domain: str, names: Zone) -> Walk:
    """Read the record of a domain and all it leads to. Raises what `names` raises when nobody answers."""
    found = Walk(Record(domain))
    found.record = _Walker(names, found).read(domain, ())
    return found


@dataclass
class _Walker:
    names: Zone
    found: Walk

    def read(self, domain: str, above: tuple[str, ...]) -> Record:
        record = Record(domain)
        texts = [text for text in self.names.txt(domain) if is_spf(text)]
        if not texts:
            record.problem = f"{domain} has no SPF record"
        elif len(texts) > 1:
            record.problem = f"{domain} has {len(texts)} SPF records; receivers then treat it as an error"
        if record.problem:
            if above:
                self.found.problems.append(record.problem)
            return record
        record.text = texts[0]
        path = (*above, domain.lower())
        for word in texts[0].split()[1:]:
            self._term(word, record, path)
        return record

    def _term(self, word: str, record: Record, path: tuple[str, ...]) -> None:
        modifier = MODIFIER.fullmatch(word)
        if modifier:
            if modifier[1].lower() == "redirect" and not re.search(r"[+\-~?]?all(\s|$)", record.text, re.IGNORECASE):
                record.redirect = self._follow(modifier[2], path)
            return
        match = TERM.fullmatch(word)
        name = match[2].lower() if match else ""
        if match is None or name not in (*ASKING, "all", "ip4", "ip6"):
            self.found.problems.append(f"“{word}” in the record of {record.domain} is not SPF")
            return
        mechanism = Mechanism(word, match[1] or "+", name)
        record.mechanisms.append(mechanism)
        target, length = match[3] or record.domain, match[4] or ""
        if name in ("ip4", "ip6"):
            self._network(mechanism, (match[3] or "") + length, record)
        elif name == "include":
            mechanism.included = self._follow(match[3] or "", path)
        elif name in ASKING:
            self._ask(mechanism, name, target, length)

    def _network(self, mechanism: Mechanism, text: str, record: Record) -> None:
        try:
            mechanism.networks = [ipaddress.ip_network(text, strict=False)]
        except ValueError:
            self.found.problems.append(f"“{mechanism.text}” in the record of {record.domain} is not a network")

    def _follow(self, domain: str, path: tuple[str, ...]) -> Record:
        self.found.lookups += 1
        record = Record(domain)
        if "%" in domain:
            return record  # a macro: it depends on each mail, and counts as one look-up
        if not domain or domain.lower() in path:
            record.problem = f"{path[-1]} includes itself through {domain or 'nothing'}"
            self.found.problems.append(record.problem)
            return record
        if self.found.lookups > STOP_AT:
            return record
        return self.read(domain, path)

    def _ask(self, mechanism: Mechanism, name: str, target: str, length: str) -> None:
        self.found.lookups += 1
        if name == "ptr":
            self.found.problems.append("“ptr” is slow and no longer to be used (RFC 7208 §5.5)")
            return
        if "%" in target or name == "exists" or self.found.lookups > STOP_AT:
            return
        hosts = self.names.mx(target)[:MOST_MX] if name == "mx" else [target]
        addresses = [address for host in hosts for address in (self.names.addresses(host) if host else [])]
        if not addresses:
            self.found.void_lookups += 1
            self.found.problems.append(f"“{mechanism.text}” leads to no address")
        mechanism.networks = [_widened(address, length) for address in addresses]


def _widened(address: str, length: str) -> Network:
    four, _, six = length.partition("//")
    size = four.strip("/") if ":" not in address else six
    return ipaddress.ip_network(f"{address}/{size}" if size else address, strict=False)


def is_spf(text: str) -> bool:
    return text.lower() == "v=spf1" or text.lower().startswith("v=spf1 ")


def permits(record: Record, address: str) -> str:
    """What a receiver would say about mail from this address: pass, fail, softfail, neutral or none."""
    server = ipaddress.ip_address(address)
    for each in record.mechanisms:
        matches = each.name == "all" or any(
            server.version == network.version and server in network for network in each.networks
        )
        if each.included is not None:
            matches = permits(each.included, address) == "pass"
        if matches:
            return RESULTS[each.qualifier]
    if record.redirect is not None:
        return permits(record.redirect, address)
    return "neutral" if record.text else "none"


def lines(record: Record, depth: int = 0) -> Iterator[str]:
    """The tree as indented text, for people."""
    yield f"{'  ' * depth}{record.domain}: {record.text or record.problem or 'depends on each mail'}"
    for each in record.mechanisms:
        if each.included is not None:
            yield from lines(each.included, depth + 1)
    if record.redirect is not None:
        yield from lines(record.redirect, depth + 1)
