"""What can become of handing one message to a provider."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class OutcomeKind(StrEnum):
    SENT = "sent"
    RETRY = "retry"  # certainly not accepted; may be later
    FAILED = "failed"  # refused for good
    REFUSED = "refused"  # by ourselves: the content lacks something for this contact
    UNCERTAIN = "uncertain"  # handed over, and no answer came
    UNTRIED = "untried"  # never handed over; says nothing about the message


@dataclass(frozen=True)
class Outcome:
    kind: OutcomeKind
    answer: str = ""
    is_hard_bounce: bool = False  # the address itself is no good


@dataclass(frozen=True)
class Envelope:
    """One message as a provider takes it. `data` is the whole mail."""

    message_id: int
    sender: str
    recipient: str
    data: bytes
