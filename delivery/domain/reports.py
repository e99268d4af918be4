"""What a provider tells about a message after it took it, and what the ledger says once all of it is known.

The result is a function of the set of reports and of nothing else: any order, any number of times.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ReportKind(StrEnum):
    ACCEPTED = "accepted"  # the provider has it and will try
    DEFERRED = "deferred"  # the receiving server said "later"
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    REJECTED = "rejected"  # the provider itself would not send it
    COMPLAINED = "complained"
    UNSUBSCRIBED = "unsubscribed"
    OPENED = "opened"
    CLICKED = "clicked"
    OTHER = "other"


class Finding(StrEnum):
    """What a report says of the address, beyond this one message."""

    NOTHING = ""
    DEAD = "dead"  # never write to it again
    COMPLAINED = "complained"
    UNSUBSCRIBED = "unsubscribed"


# These cannot happen to a message that stayed in the house.
PROOF_OF_SENDING = frozenset(
    {
        ReportKind.DEFERRED,
        ReportKind.DELIVERED,
        ReportKind.BOUNCED,
        ReportKind.COMPLAINED,
        ReportKind.UNSUBSCRIBED,
        ReportKind.OPENED,
        ReportKind.CLICKED,
    }
)


@dataclass(frozen=True)
class Report:
    """One thing that a provider says. `key` is the same however often it says it."""

    key: str
    kind: ReportKind
    happened_at: datetime
    reference: str = ""  # our signed one, when the provider sent it along
    provider_message_id: str = ""
    address: str = ""
    finding: Finding = Finding.NOTHING
    url: str = ""
    user_agent: str = ""
    answer: str = ""


def key_of(*parts: object) -> str:
    """A key of 64 characters for what identifies a report."""
    text = json.dumps(parts, sort_keys=True, default=str, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def status_after(status: str, kinds: Iterable[str]) -> str:
    """What a message's status becomes once these reports of it are known.

    Proof that it left settles every doubt, also of one that waits to be tried again after an unclear no. What the
    provider turned away later was not sent. While a worker has it (`sending`) only the worker speaks.
    """
    known = set(kinds)
    if status == "sending":
        return status
    if known & PROOF_OF_SENDING:
        return "sent"
    if ReportKind.REJECTED in known:
        return "failed" if status in ("sent", "uncertain") else status
    return "sent" if ReportKind.ACCEPTED in known else status


# RFC 3463: 5.1.x is about the address, except 5.1.7 and 5.1.8, which are about ours; 5.2.1 is a closed mailbox.
ADDRESS_STATUS = re.compile(r"(?<![\d.])5\.(?:1\.(?:0|1|2|3|4|6|10)|2\.1)(?![\d.])")
ANY_STATUS = re.compile(r"(?<![\d.])[245]\.\d{1,3}\.\d{1,3}(?![\d.])")
ADDRESS_REPLY = re.compile(r"(?<!\d)(?:550|551|553)(?!\d)")


def is_about_the_address(status: str, answer: str = "") -> bool:
    """Whether an enhanced status code (RFC 3463), or a server's answer without one, says the address is no good."""
    given = ANY_STATUS.search(status)
    if given is not None and not given[0].endswith(".0.0"):
        return bool(ADDRESS_STATUS.search(status))
    if ANY_STATUS.search(answer):
        return bool(ADDRESS_STATUS.search(answer))
    return bool(ADDRESS_REPLY.search(answer))
