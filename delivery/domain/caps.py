"""Caps as plain arithmetic: how many messages a contact may get, and what caps would have done to a history."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

# Channels that wait to be looked at, or reach no contact: only caps and quiet hours that name them speak of them.
SILENT = frozenset({"in_app", "slack", "webhook"})


@dataclass(frozen=True)
class Cap:
    """At most `most` messages in `per_hours` (None: any number), `hours_between` two of them.

    It speaks of one `kind`; an empty channel means all that make a sound together, `topic_id` None all topics.
    """

    kind: str
    channel: str = ""
    topic_id: int | None = None
    most: int | None = None
    per_hours: int = 24
    hours_between: int = 0

    def covers(self, kind: str, channel: str, topic_id: int | None) -> bool:
        is_heard = self.channel == channel or (not self.channel and channel not in SILENT)
        return self.kind == kind and is_heard and self.topic_id in (None, topic_id)

    @property
    def reach(self) -> timedelta:
        """How far back it looks."""
        return timedelta(hours=max(self.per_hours, self.hours_between))


@dataclass(frozen=True)
class Sent:
    """A message that went, of which contact, and when."""

    contact_id: int
    kind: str
    channel: str
    topic_id: int | None
    at: datetime


def refused_count(history: Iterable[Sent], caps: Sequence[Cap]) -> int:
    """How many of these messages the caps would have refused, had they held all along.

    `history` is in order of time for each contact. What is refused takes no room for what comes later.
    """
    refused = 0
    gone: dict[int, list[Sent]] = defaultdict(list)
    for message in history:
        earlier = gone[message.contact_id]
        if all(allows(cap, message, earlier) for cap in caps):
            earlier.append(message)
        else:
            refused += 1
    return refused


def allows(cap: Cap, message: Sent, earlier: Sequence[Sent]) -> bool:
    """Whether a cap lets a message go after those that went to the same contact."""
    if not cap.covers(message.kind, message.channel, message.topic_id):
        return True
    counted = [each.at for each in earlier if cap.covers(each.kind, each.channel, each.topic_id)]
    within = [moment for moment in counted if moment > message.at - timedelta(hours=cap.per_hours)]
    if cap.most is not None and len(within) >= cap.most:
        return False
    return not (cap.hours_between and counted and max(counted) > message.at - timedelta(hours=cap.hours_between))
