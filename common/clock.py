"""The only source of the present moment.

SQL takes `clock.now()` as a bound parameter instead of calling `now()`, so tests can travel in time.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta

_shift: ContextVar[timedelta] = ContextVar("clock_shift", default=timedelta())
_frozen: ContextVar[datetime | None] = ContextVar("clock_frozen", default=None)


def now() -> datetime:
    """The present moment in UTC, with microseconds."""
    return (_frozen.get() or datetime.now(UTC)) + _shift.get()


@contextmanager
def freeze(moment: datetime) -> Iterator[None]:
    """Stop the clock at `moment` (aware) inside the block. For tests and simulations."""
    token = _frozen.set(moment.astimezone(UTC))
    try:
        yield
    finally:
        _frozen.reset(token)


@contextmanager
def travel(step: timedelta) -> Iterator[None]:
    """Move the clock by `step` inside the block; nested travels add up."""
    token = _shift.set(_shift.get() + step)
    try:
        yield
    finally:
        _shift.reset(token)
