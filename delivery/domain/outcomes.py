"""What is handed to a provider, and what can become of it.

Of each message there are several of these: a struct is made in a tenth of the time of a frozen dataclass.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

import msgspec


class OutcomeKind(StrEnum):
    SENT = "sent"
    RETRY = "retry"  # certainly not accepted; may be later
    FAILED = "failed"  # refused for good
    REFUSED = "refused"  # by ourselves: the content lacks something for this contact
    UNCERTAIN = "uncertain"  # handed over, and no answer came
    UNTRIED = "untried"  # never handed over; says nothing about the message


class Outcome(msgspec.Struct, frozen=True):
    """`answer` is the provider's own sentence; of a message that was SENT it is the provider's id for it."""

    kind: OutcomeKind
    answer: str = ""
    is_hard_bounce: bool = False  # the address itself is dead: no such mailbox, a token nobody has any more
    retry_after_seconds: float | None = None  # how long the provider asked us to wait
    is_doubtful: bool = False  # of RETRY: it may have been taken, and its provider knows a second try
    is_account_refused: bool = False  # said of the account, not of the message: every other one would hear the same
    # What became of it on each device, when it went to several: (device id, outcome).
    parts: tuple[tuple[int, Outcome], ...] = ()


# Of several devices the best speaks for the message; what may still become better waits.
BEST_FIRST = (
    OutcomeKind.SENT,
    OutcomeKind.UNCERTAIN,
    OutcomeKind.RETRY,
    OutcomeKind.UNTRIED,
    OutcomeKind.FAILED,
    OutcomeKind.REFUSED,
)


def together(parts: Sequence[tuple[int, Outcome]]) -> Outcome:
    """The outcome of a message that went to several devices."""
    outcomes = [outcome for _, outcome in parts]
    kind = min((outcome.kind for outcome in outcomes), key=BEST_FIRST.index)
    best = [outcome for outcome in outcomes if outcome.kind == kind]
    waits = [outcome.retry_after_seconds for outcome in best if outcome.retry_after_seconds is not None]
    return Outcome(kind, best[0].answer, retry_after_seconds=min(waits, default=None), parts=tuple(parts))


class Envelope(msgspec.Struct, frozen=True):
    """One message as a provider takes it.

    `payload` is a `Letter` for e-mail, or what domain.payloads holds for another channel. `data` is the whole
    mail as bytes, only for a provider that `wants_bytes`. `key` is the same whenever this message is tried, and
    no other message has it. `parts`: how many messages the provider counts, such as the segments of an SMS.
    """

    message_id: int
    sender: str
    recipient: str
    data: bytes = b""
    payload: Any = None
    key: str = ""
    parts: int = 1
