"""What is handed to a provider, and what can become of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class OutcomeKind(StrEnum):
    SENT = "sent"
    RETRY = "retry"  # certainly not accepted; may be later
    FAILED = "failed"  # refused for good
    REFUSED = "refused"  # by ourselves: the content lacks something for this contact
    UNCERTAIN = "uncertain"  # handed over, and no answer came
    UNTRIED = "untried"  # never handed over; says nothing about the message


@dataclass(frozen=True)
class Outcome:
    """`answer` is the provider's own sentence; of a message that was SENT it is the provider's id for it."""

    kind: OutcomeKind
    answer: str = ""
    is_hard_bounce: bool = False  # the address itself is dead: no such mailbox, a token nobody has any more
    retry_after_seconds: float | None = None  # how long the provider asked us to wait


@dataclass(frozen=True)
class Envelope:
    """One message as a provider takes it.

    `payload` is a `Letter` for e-mail, or what domain.payloads holds for another channel. `data` is the whole
    mail as bytes, only for a provider that `wants_bytes`. `key` is the same whenever this message is tried, and
    no other message has it.
    """

    message_id: int
    sender: str
    recipient: str
    data: bytes = b""
    payload: Any = None
    key: str = ""
