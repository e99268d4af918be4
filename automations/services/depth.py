"""How deep a run stands: how many runs caused each other before it. A loop is what grows without end.

The depth travels with what a run does. While the engine serves runs of one depth, everything announced stands one
deeper (`outbox.caused_at`); a notice keeps its depth in its row, and whoever handles it works at that depth again.
Events of our own keep it in their context (`audience.services.record` writes it there) until they are processed.
So an entry need only ask `outbox.depth()`. What comes back through a mailbox or a browser stands at 0: there the
guard of entries per day holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from common import outbox

MOST = 10
GUARD = f"Loop guard: more than {MOST} runs caused each other before this one."


@contextmanager
def inside(depth: int) -> Iterator[None]:
    """Whatever is announced or started inside the block was caused by a run of this depth."""
    with outbox.caused_at(depth + 1):
        yield


def current() -> int:
    """The depth of a run that starts here."""
    return outbox.depth()
