"""Does a sending domain prove who it is? Each check: what was found, what it means, what to write into the zone.

What Gmail and Yahoo ask of bulk senders since February 2024 (Google, "Email sender guidelines"; Yahoo, "Sender
requirements"): SPF and DKIM, DMARC with at least p=none, From aligned with one of them, forward and reverse DNS
of the sending server, unsubscribing by one click.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from delivery.domain import mailboxes, spf, tags
from delivery.domain.zone import Unreachable, Zone

UNKNOWN = "Nobody answered, so what was known before stays true."


class Status(StrEnum):
    PASS = "pass"  # noqa: S105 — a verdict
    WARN = "warn"
    FAIL = "fail"
    SKIPPED = "skipped"  # nothing to look at, or nobody answered


@dataclass(frozen=True)
class Write:
    """A record for the zone, ready to be copied."""

    kind: str
    name: str
    value: str


@dataclass(frozen=True)
class Check:
    """One line of the report."""

    name: str
    title: str
    status: Status
    found: str
    means: str
    write: Write | None = None
    details: str = ""
    proven: tuple[str, ...] = ()  # of DKIM: the selectors whose record is good

    def plain(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Selector:
    """A DKIM key that should be in the zone; `public_key` is known when it is ours."""

    name: str
    public_key: str = ""
    value: str = ""  # the record to write


@dataclass(frozen=True)
class Subject:
    """What is checked: the domain, and what we know of how its mail leaves."""

    domain: str
    selectors: tuple[Selector, ...] = ()
    outgoing_host: str = ""
    public_url: str = ""
    reports_to: str = ""


Examine = Callable[[Subject, Zone], Check]


def examine(subject: Subject, zone: Zone) -> list[Check]:
    """Every check; one that gets no answer is skipped and says so."""
    return [_safely(name, title, check, subject, zone) for name, title, check in CHECKS]


def _safely(name: str, title: str, check: Examine, subject: Subject, zone: Zone) -> Check:
    try:
        return check(subject, zone)
    except Unreachable as error:
        return Check(name, title, Status.SKIPPED, error.message, UNKNOWN)


def _spf(subject: Subject, zone: Zone) -> Check:
    name, title, domain = "spf", "SPF: which servers may send", subject.domain
    host = subject.outgoing_host
    own = f"a:{host}" if host else "include:<your relay's SPF name>"
    write = Write("TXT", domain, f"v=spf1 {own} ~all")
    texts = [text for text in zone.txt(domain) if spf.is_spf(text)]
    if not texts:
        return Check(name, title, Status.FAIL, "No SPF record.", "Anybody may claim to send for you.", write)
    walk = spf.walk(domain, zone)
    details = "\n".join(spf.lines(walk.record))
    found = f"{texts[0]} ({walk.lookups} of {spf.MOST_LOOKUPS} look-ups)"
    one = Write("TXT", domain, texts[0])

    def said(status: Status, means: str, write: Write | None = None) -> Check:
        return Check(name, title, status, found, means, write, details)

    if len(texts) > 1:
        return said(Status.FAIL, f"There are {len(texts)} SPF records; only one may stand. Join them into one.", one)
    if walk.record.ending == "+":
        means = "“+all” lets the whole world send in your name. Write ~all instead."
        fixed = texts[0].replace("+all", "~all") if "+all" in texts[0] else _without_plus(texts[0])
        return said(Status.FAIL, means, Write("TXT", domain, fixed))
    if walk.lookups > spf.MOST_LOOKUPS:
        means = (
            "Receivers stop after 10 look-ups and treat the record as an error. Remove includes you no longer use."
        )
        return said(Status.FAIL, means)
    if walk.void_lookups > spf.MOST_VOID:
        return said(
            Status.FAIL, f"{walk.void_lookups} names in it lead nowhere; receivers stop after {spf.MOST_VOID}."
        )
    if host:
        refused = [each for each in zone.addresses(host) if spf.permits(walk.record, each) != "pass"]
        if refused:
            fixed = _with(texts[0], f"a:{host}")
            means = f"It does not let our own server {host} ({refused[0]}) send."
            return said(Status.FAIL, means, Write("TXT", domain, fixed))
    if walk.problems:
        return said(Status.WARN, f"{'. '.join(walk.problems)}.")
    if walk.record.ending in ("", "?"):
        means = "It says nothing about everybody else. End it with ~all."
        return said(Status.WARN, means, Write("TXT", domain, _ended(texts[0])))
    if not host:
        means = "The record is sound. Does it include your relay? Only the relay tells the name to include."
        return said(Status.PASS, means)
    return said(Status.PASS, "The record is sound and lets our server send.")


def _without_plus(text: str) -> str:
    return " ".join("~all" if word.lower() == "all" else word for word in text.split())


def _with(text: str, term: str) -> str:
    first, *rest = text.split()
    return " ".join([first, term, *rest])


def _ended(text: str) -> str:
    return " ".join([word for word in text.split() if word.lower() not in ("?all",)] + ["~all"])


def _dkim(subject: Subject, zone: Zone) -> Check:
    name, title = "dkim", "DKIM: is the mail signed"
    if not subject.selectors:
        means = "Make a key below, or tell the selector that your relay signs with, so that it can be looked at."
        return Check(name, title, Status.FAIL, "No key is known for this domain.", means)
    results = [_dkim_of(subject, each, zone) for each in subject.selectors]
    good = tuple(
        each.name
        for each, check in zip(subject.selectors, results, strict=True)
        if check.status in (Status.PASS, Status.WARN)
    )
    order = [Status.PASS, Status.SKIPPED, Status.WARN, Status.FAIL]
    return replace(max(results, key=lambda check: order.index(check.status)), proven=good)


def _dkim_of(subject: Subject, selector: Selector, zone: Zone) -> Check:
    place = f"{selector.name}._domainkey.{subject.domain}"
    write = Write("TXT", place, selector.value) if selector.value else None
    texts = zone.txt(place)

    def said(status: Status, found: str, means: str) -> Check:
        return Check("dkim", "DKIM: is the mail signed", status, found, means, write)

    if not texts:
        return said(
            Status.FAIL, f"No record at {place}.", "Receivers cannot verify the signature: write this record."
        )
    if len(texts) > 1:
        return said(Status.FAIL, f"{len(texts)} records at {place}.", "Only one may stand; remove the others.")
    key = tags.dkim_key(texts[0])
    if key.problem:
        return said(
            Status.FAIL, f"The record at {place} cannot be used: {key.problem}.", "Write it again, in one piece."
        )
    found = f"{key.algorithm.upper()} key with {key.bits:,} bits at {place}."
    if selector.public_key and key.public_key != selector.public_key:
        return said(Status.FAIL, found, "It is another key than ours: replace the record by this one.")
    if key.algorithm == "rsa" and key.bits < 1024:
        return said(Status.FAIL, found, "Receivers refuse keys under 1,024 bits. Use one of 2,048.")
    if key.is_testing:
        return said(Status.WARN, found, "“t=y” says that you are testing: receivers treat the mail as unsigned.")
    if key.algorithm == "rsa" and key.bits < 2048:
        return said(Status.WARN, found, "Gmail asks for 2,048 bits; 1,024 still passes.")
    if key.algorithm == "ed25519":
        return said(Status.WARN, found, "Several large receivers cannot verify Ed25519; sign with RSA as well.")
    return said(Status.PASS, found, "Receivers can verify that the mail is yours.")


def _dmarc(subject: Subject, zone: Zone) -> Check:
    name, title = "dmarc", "DMARC: what happens to forgeries"
    report = subject.reports_to or f"dmarc@{subject.domain}"
    write = Write("TXT", f"_dmarc.{subject.domain}", f"v=DMARC1; p=none; rua=mailto:{report}")
    place, texts = _dmarc_records(subject.domain, zone)
    if not texts:
        means = "Gmail and Yahoo ask for it from 5,000 mails a day. Begin with p=none and read the reports."
        return Check(name, title, Status.FAIL, f"No record at _dmarc.{subject.domain} or above.", means, write)
    found = f"{texts[0]} (at {place})"
    if len(texts) > 1:
        means = "Receivers ignore DMARC when there is more than one record."
        return Check(name, title, Status.FAIL, f"{len(texts)} records at {place}.", means, write)
    policy = tags.dmarc(texts[0])
    if policy.problem:
        return Check(name, title, Status.FAIL, found, f"Receivers ignore it: {policy.problem}.", write)
    is_above = place != f"_dmarc.{subject.domain}"
    enforced = policy.subdomain_policy if is_above else policy.policy
    if not policy.reports_to:
        means = "Nobody gets reports (“rua”), so you will not see who sends in your name."
        fixed = f"{texts[0].rstrip('; ')}; rua=mailto:{report}"
        return Check(name, title, Status.WARN, found, means, Write("TXT", place, fixed))
    if enforced == "none":
        means = "Enough for Gmail and Yahoo. When the reports show only your own servers, go on to p=quarantine."
        return Check(name, title, Status.PASS, found, means)
    if policy.percent < 100:
        means = f"Only {policy.percent} % of forgeries are treated so."
        return Check(name, title, Status.WARN, found, means)
    return Check(name, title, Status.PASS, found, f"Forgeries are {_treated(enforced)}.")


def _treated(policy: str) -> str:
    return "refused" if policy == "reject" else "put into the spam folder"


def _dmarc_records(domain: str, zone: Zone) -> tuple[str, list[str]]:
    """The nearest record upwards, as receivers look for it; a top-level domain is not asked."""
    labels = domain.split(".")
    for start in range(max(1, len(labels) - 1)):
        place = f"_dmarc.{'.'.join(labels[start:])}"
        texts = [text for text in zone.txt(place) if tags.is_dmarc(text)]
        if texts:
            return place, texts
    return f"_dmarc.{domain}", []


def _alignment(subject: Subject, zone: Zone) -> Check:
    name, title = "alignment", "Alignment: does From match"
    if subject.domain in mailboxes.BY_DOMAIN:
        means = "Nobody else may send from a free mailbox's domain; most of it is refused. Use a domain of your own."
        return Check(name, title, Status.FAIL, f"{subject.domain} belongs to a mailbox provider.", means)
    found = f"From, the return address and our signature all say {subject.domain}."
    means = "That satisfies relaxed and strict alignment. A relay that replaces the return address must sign as you."
    return Check(name, title, Status.PASS, found, means)


def _mx(subject: Subject, zone: Zone) -> Check:
    name, title = "mx", "MX: do replies and bounces arrive"
    hosts = zone.mx(subject.domain)
    write = Write("MX", subject.domain, f"10 mail.{subject.domain}.")
    if hosts == [""]:
        means = "A null MX says that the domain takes no mail; many receivers refuse mail from such a domain."
        return Check(name, title, Status.FAIL, "Null MX.", means, write)
    if not hosts:
        if zone.addresses(subject.domain):
            means = "Mail goes to the web address, where probably nobody listens. Name a mail server."
            return Check(name, title, Status.WARN, "No MX record.", means, write)
        means = "Replies and bounces go nowhere, and some receivers refuse mail from such a domain."
        return Check(name, title, Status.FAIL, "No MX record.", means, write)
    lost = [host for host in hosts if not zone.addresses(host)]
    if lost:
        return Check(name, title, Status.FAIL, ", ".join(hosts), f"{lost[0]} has no address.")
    return Check(name, title, Status.PASS, ", ".join(hosts), "Replies and bounces have somewhere to go.")


def _reverse(subject: Subject, zone: Zone) -> Check:
    name, title, host = "reverse", "The sending server's name", subject.outgoing_host
    if not host:
        means = "A relay's name is its own affair. If the server is your own, set OUTGOING_HOST to its name."
        return Check(name, title, Status.SKIPPED, "OUTGOING_HOST is not set.", means)
    addresses = zone.addresses(host)
    if not addresses:
        write = Write("A", host, "<the server's address>")
        return Check(name, title, Status.FAIL, f"{host} has no address.", "Receivers refuse such a HELO.", write)
    for address in addresses:
        names = zone.names_of(address)
        if not names:
            means = "Gmail refuses mail from servers without one. Ask the network's owner to set it."
            return Check(
                name, title, Status.FAIL, f"{address} has no reverse name.", means, Write("PTR", address, host)
            )
        if host not in names and not any(address in zone.addresses(each) for each in names):
            means = "Forward and reverse name must lead to each other."
            return Check(
                name, title, Status.FAIL, f"{address} is called {names[0]}.", means, Write("PTR", address, host)
            )
        if host not in names:
            means = f"It is sound; better the server says hello as {names[0]}."
            return Check(name, title, Status.WARN, f"{address} is called {names[0]}, not {host}.", means)
    return Check(
        name, title, Status.PASS, f"{host} and {', '.join(addresses)} lead to each other.", "As it should be."
    )


def _unsubscribe(subject: Subject, zone: Zone) -> Check:
    name, title = "unsubscribe", "Unsubscribing by one click"
    if not subject.public_url.startswith("https://"):
        means = (
            "RFC 8058 takes https only, and Gmail and Yahoo require it. Set PUBLIC_URL to the site's https address."
        )
        return Check(name, title, Status.FAIL, f"The address is {subject.public_url}.", means)
    found = "Every marketing mail carries List-Unsubscribe and List-Unsubscribe-Post."
    return Check(name, title, Status.PASS, found, f"The button beside the sender leads to {subject.public_url}.")


CHECKS: tuple[tuple[str, str, Examine], ...] = (
    ("spf", "SPF: which servers may send", _spf),
    ("dkim", "DKIM: is the mail signed", _dkim),
    ("dmarc", "DMARC: what happens to forgeries", _dmarc),
    ("alignment", "Alignment: does From match", _alignment),
    ("mx", "MX: do replies and bounces arrive", _mx),
    ("reverse", "The sending server's name", _reverse),
    ("unsubscribe", "Unsubscribing by one click", _unsubscribe),
)
SEVERITY = [Status.PASS, Status.SKIPPED, Status.WARN, Status.FAIL]


def worst(checks: list[Check]) -> Status:
    """The status of the whole; what was skipped is no fault."""
    found = max((check.status for check in checks), key=SEVERITY.index, default=Status.SKIPPED)
    return Status.PASS if found == Status.SKIPPED and any(c.status == Status.PASS for c in checks) else found
