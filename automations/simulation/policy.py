"""What delivery's policy would have done to messages: quiet hours, caps, the contact's own rhythm, shelf life.

Plain arithmetic over one contact's messages at a time, in the order in which they fall due; what the judge decides
in SQL for messages that exist (delivery.services.policy), here for those that nobody wrote.
"""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from common.moments import NEVER, micros, span_micros
from delivery.domain import quiet
from delivery.domain.caps import Cap
from delivery.domain.quiet import Window

WENT, CAPPED, EXPIRED = "went", "cap", "expired"
HOUR = span_micros(timedelta(hours=1))
STEP = timedelta(minutes=15)


class Planned(msgspec.Struct, frozen=True):
    """A message as it falls due. `expires_at` is NEVER for one without a shelf life that waits for nothing."""

    due_at: int
    kind: str
    channel: str
    topic_id: int | None
    place: int
    can_wait_until: int = 0


class Fate(msgspec.Struct):
    """What became of a planned message: `how`, when it went, and whether it waited on the way."""

    how: str
    at: int
    was_quiet: bool = False
    waited_for_room: bool = False


@dataclass(frozen=True)
class QuietHours:
    """The quiet spans of one zone and channel, as sorted beginnings and ends."""

    begins: Sequence[int]
    ends: Sequence[int]

    def resume_at(self, at: int) -> int:
        """When it stops being quiet, or `at` itself when it is not."""
        place = bisect_right(self.begins, at) - 1
        return self.ends[place] if place >= 0 and at < self.ends[place] else at


def quiet_hours(since: datetime, until: datetime, where: ZoneInfo, windows: Sequence[Window]) -> QuietHours:
    """Every quiet span between two moments: found by its ends, which is where delivery would go on."""
    begins, ends = [], []
    now = since
    while windows and now < until:
        end = quiet.resume_at(now, where, windows)
        if end is None:
            now += STEP
            continue
        begins.append(micros(_beginning(now, where, windows, floor=since)))
        ends.append(micros(end))
        now = end
    return QuietHours(begins, ends)


def _beginning(now: datetime, where: ZoneInfo, windows: Sequence[Window], floor: datetime) -> datetime:
    """The first quiet second of the span that `now` lies in; it lies at most one step back."""
    low, high = max(now - STEP, floor), now
    if low == high or quiet.is_quiet(low, where, windows):
        return low
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        if quiet.is_quiet(middle, where, windows):
            high = middle
        else:
            low = middle
    return high.replace(microsecond=0)


class _Gone(msgspec.Struct):
    """What went to a contact, with what it counts for."""

    kind: str
    channel: str
    topic_id: int | None
    at: int


@dataclass
class Recipient:
    """One contact: caps that hold for it, what really went to it, what is planned."""

    caps: Sequence[Cap]
    gone: list[_Gone] = field(default_factory=list)

    @property
    def is_roomy(self) -> bool:
        """Whether every cap lets at least one message go."""
        return all(cap.most is None or cap.most > 0 for cap in self.caps)

    def went(self, kind: str, channel: str, topic_id: int | None, at: int) -> None:
        self.gone.append(_Gone(kind, channel, topic_id, at))

    def judge(self, planned: Iterable[Planned], hours: dict[str, QuietHours]) -> dict[int, Fate]:
        """The fate of each message by its place, taken in order of time, what really went among them."""
        fates: dict[int, Fate] = {}
        waiting = [(each.due_at, each.place, each) for each in planned]
        heapq.heapify(waiting)
        while waiting:
            at, place, message = heapq.heappop(waiting)
            fate = fates.setdefault(place, Fate(WENT, at))
            resume = hours[message.channel].resume_at(at)
            if resume > at:
                fate.was_quiet = True
                self._put_off(waiting, message, resume, fate, EXPIRED, is_free=True)
            elif (room_at := self._room_at(message, at)) > at:
                fate.waited_for_room |= bool(message.can_wait_until)
                self._put_off(waiting, message, room_at, fate, CAPPED, is_free=False)
            else:
                fate.how, fate.at = WENT, at
                self.went(message.kind, message.channel, message.topic_id, at)
        return fates

    def _put_off(
        self,
        waiting: list[tuple[int, int, Planned]],
        message: Planned,
        at: int,
        fate: Fate,
        how: str,
        *,
        is_free: bool,
    ) -> None:
        """Try again at a later moment where the shelf life reaches that far. Quiet hours are always waited out by
        what has none; room under a cap never is."""
        limit = message.can_wait_until or (NEVER if is_free else 0)
        if at < limit:
            heapq.heappush(waiting, (at, message.place, message))
        else:
            fate.how, fate.at = how, at

    def _room_at(self, message: Planned, at: int) -> int:
        """When every cap lets the message go; `at` itself when all do now."""
        if not self.gone and self.is_roomy:
            return at
        found = at
        for cap in self.caps:
            if not cap.covers(message.kind, message.channel, message.topic_id):
                continue
            counted = [
                each.at for each in self.gone if each.at <= at and cap.covers(each.kind, each.channel, each.topic_id)
            ]
            span = cap.per_hours * HOUR
            within = [each for each in counted if each > at - span]
            if cap.most is not None and len(within) >= cap.most:
                found = max(found, min(within, default=at) + span)
            gap = cap.hours_between * HOUR
            if gap and counted and (last := max(counted)) > at - gap:
                found = max(found, last + gap)
        return found
