"""The path to a conversion: which touchpoints were one and the same coming."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

# A click in a mail and the pages it opens are one coming; a session ends after half an hour without a sign
# (the usual rule of web analytics).
SAME_COMING = timedelta(minutes=30)


@dataclass(frozen=True)
class Touch:
    """A touchpoint as the models see it. `signature` says what brought the contact."""

    touchpoint_id: int
    happened_at: datetime
    signature: str


def signature(campaign_id: int | None, channel: str, source: str, campaign_name: str) -> str:
    """What brought the contact: our campaign when it is one, else channel, source and tag."""
    return f"#{campaign_id}" if campaign_id is not None else "\x1f".join((channel, source, campaign_name)).lower()


def collapse(touches: Sequence[Touch]) -> list[Touch]:
    """Leave one touch, the first, of each run of comings by the same way within half an hour of the one before.

    Takes and returns touches oldest first. Depends only on what it is given, so that events may arrive in any
    order and the path comes out the same.
    """
    kept: list[Touch] = []
    last_seen: dict[str, datetime] = {}
    for touch in touches:
        before = last_seen.get(touch.signature)
        if before is None or touch.happened_at - before > SAME_COMING:
            kept.append(touch)
        last_seen[touch.signature] = touch.happened_at
    return kept
