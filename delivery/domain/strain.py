"""When an account at a provider stops being used by itself, and when one message tries whether it works again."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from delivery.domain.outcomes import Outcome, OutcomeKind

WINDOW = 40  # outcomes that are looked at
ENOUGH = 20
MOST_BAD = 0.5
MOST_UNREACHED = 5  # flights in a row of which nothing left the house
FIRST_PROBE = {"account": timedelta(minutes=15), "errors": timedelta(minutes=5)}
LAST_PROBE = timedelta(hours=6)
LONGEST_REASON = 300


@dataclass(frozen=True)
class Stop:
    """That an account must rest: `because` is "account" (it refuses us) or "errors"; `reason` is for people."""

    because: str
    reason: str


@dataclass
class Strain:
    """What one worker has lately heard of one account."""

    outcomes: deque[bool] = field(default_factory=lambda: deque(maxlen=WINDOW))
    unreached: int = 0

    def judge(self, name: str, outcomes: Sequence[Outcome]) -> Stop | None:
        """Take in the outcomes of a flight; a stop when this was too much."""
        refused = next((each for each in outcomes if each.is_account_refused), None)
        if refused is not None:
            return Stop("account", f"{name} refuses this account: {refused.answer}"[:LONGEST_REASON])
        self.outcomes.extend(good for each in outcomes if (good := is_good(each)) is not None)
        unreached = [each for each in outcomes if is_unreached(each)]
        self.unreached = self.unreached + 1 if len(unreached) == len(outcomes) and unreached else 0
        if self.unreached >= MOST_UNREACHED:
            return Stop("errors", f"{name} cannot be reached. {unreached[-1].answer}"[:LONGEST_REASON])
        bad = self.outcomes.count(False)
        if len(self.outcomes) >= ENOUGH and bad >= MOST_BAD * len(self.outcomes):
            last = next((each.answer for each in reversed(outcomes) if is_good(each) is False), "")
            said = f"{bad} of the last {len(self.outcomes)} messages were not taken. The last answer: {last}"
            return Stop("errors", said[:LONGEST_REASON])
        return None


def is_good(outcome: Outcome) -> bool | None:
    """Whether an outcome speaks for the provider; None when it says nothing about it."""
    if outcome.kind == OutcomeKind.SENT or outcome.is_hard_bounce:
        return True
    if outcome.kind in (OutcomeKind.RETRY, OutcomeKind.FAILED, OutcomeKind.UNCERTAIN):
        return False
    return None


def is_unreached(outcome: Outcome) -> bool:
    """Whether nothing left the house though it should have; a rest that was asked for is no such case."""
    return outcome.kind == OutcomeKind.UNTRIED and outcome.retry_after_seconds is None


def probe_after(because: str, pauses: int) -> timedelta:
    """How long to wait before one message tries it again, after so many pauses in a row: longer each time."""
    doublings = min(max(0, pauses - 1), 10)
    return min(LAST_PROBE, FIRST_PROBE[because] * (1 << doublings))


def what_now(because: str) -> str:
    """What a person can do about a pause."""
    goes_on = "It goes on when somebody resumes it."
    return {
        "account": "Look into the account there: the key, the sender's domain, the balance. Then resume.",
        "errors": "See whether the provider has trouble, and read its answer. It is tried again by itself.",
    }.get(because, goes_on)
