"""How many messages go out at once, and when the next ones follow."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

FULL_BLOCK = 5_000
PACED_SECONDS = 5.0  # a paced campaign breathes about this often
LEAST_PATIENCE, MOST_PATIENCE = timedelta(minutes=1), timedelta(hours=1)


@dataclass(frozen=True)
class Block:
    """`size` messages, then `seconds` of rest."""

    size: int
    seconds: float


def block(messages_per_minute: int | None) -> Block:
    """The block for a pace; without one, full blocks without a rest.

    The rest follows from the rounded size, so the pace is met exactly whatever the number.
    """
    if not messages_per_minute:
        return Block(FULL_BLOCK, 0.0)
    size = min(FULL_BLOCK, max(1, round(messages_per_minute * PACED_SECONDS / 60)))
    return Block(size, size * 60 / messages_per_minute)


def next_at(due_at: datetime, now: datetime, seconds: float) -> datetime:
    """When the block after the one that was due at `due_at` goes out.

    Small delays do not add up; a long one (worker down, campaign paused) is not made up for in a burst.
    """
    rest = timedelta(seconds=seconds)
    return (due_at if now - due_at < rest else now) + rest


def patience(elapsed: timedelta) -> timedelta:
    """How long to wait for what somebody else announces before looking oneself: a quarter of the time that has
    passed, from a minute to an hour. Ten thousand campaigns that wait so cost three looks a second."""
    return min(max(elapsed / 4, LEAST_PATIENCE), MOST_PATIENCE)


def seconds_left(remaining: int, per_minute: float, messages_per_minute: int | None) -> int | None:
    """How long `remaining` messages take at the measured rate, or at the set pace before there is one."""
    rate = per_minute or float(messages_per_minute or 0)
    if not remaining:
        return 0
    return round(remaining * 60 / rate) if rate else None
