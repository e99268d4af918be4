"""What counts events, judged in memory: the same truth and next moment as `judgements`, for many at once.

Asked about a hundred thousand pairs of contact and moment, the compiler's statement probes the index once or more
for each. Here the events of a kind are read once for all contacts, and a pair is a search in a sorted column.
`tests/test_past.py` holds both against the same oracle.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from common.later import later
from common.moments import NEVER, span_micros
from segments.rules.behaviours import BEHAVIOURS
from segments.rules.operators import OPERATORS
from segments.rules.tree import EventRule, Rule

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from common.moments import Moments, Truths

    Places = NDArray[np.int64]
    Verdicts = tuple[Truths, Moments]
else:
    np = later("numpy")


@dataclass(frozen=True)
class Timeline:
    """The moments of one kind of event, those of each contact together and in their order.

    `starts` says where those of each contact begin, and at its end where the last one's end. `at` has NEVER behind
    them, so that every place can be read.
    """

    starts: Places
    at: Moments

    @classmethod
    def of(cls, contacts: NDArray[np.int64], who: NDArray[np.int64], at: Moments) -> Timeline:
        """From events in any order; `contacts` are sorted, and there are no others among `who`."""
        order = np.lexsort((at, who))
        starts = np.searchsorted(who[order], contacts)
        return cls(np.append(starts, len(at)), np.append(at[order], NEVER))


class Look:
    """A timeline seen by pairs of a contact (its place in the timeline) and a moment."""

    def __init__(self, timeline: Timeline, who: Places, now: Moments) -> None:
        self.at, self.now = timeline.at, now
        self.start, self.end = timeline.starts[who], timeline.starts[who + 1]
        self.after = self._after()
        self.next_at = np.where(self.after < self.end, self.at[self.after], NEVER)

    def _after(self) -> Places:
        """Where the first event later than the moment of each pair stands, or would."""
        low, high = self.start.copy(), self.end.copy()
        while (is_open := low < high).any():
            middle = (low + high) // 2
            is_past = self.at[middle] <= self.now
            low = np.where(is_open & is_past, middle + 1, low)
            high = np.where(is_open & ~is_past, middle, high)
        return low

    def nth(self, count: int, span: int) -> Verdicts:
        """Whether so many lie in the window, and the moment of the nth latest of them."""
        place = self.after - count
        found = self.at[np.maximum(place, 0)]
        is_there = place >= self.start
        return (is_there & (found > self.now - span) if span else is_there), found

    def first(self) -> Verdicts:
        return self.after > self.start, self.at[self.start]


def _lapses(is_there: Truths, at: Moments, span: int) -> Moments:
    """When what is in the window leaves it by itself."""
    return np.where(is_there, at + span, NEVER) if span else np.full(at.shape, NEVER, dtype=np.int64)


def _stands(count: int, events: Look, span: int) -> Verdicts:
    is_there, at = events.nth(count, span)
    return is_there, np.where(is_there, _lapses(is_there, at, span), events.next_at)


def _did(rule: EventRule, events: Look, span: int) -> Verdicts:
    return _stands(rule.count, events, span)


def _did_not(rule: EventRule, events: Look, span: int) -> Verdicts:
    truth, flips = _stands(rule.count, events, span)
    return ~truth, flips


def _did_at_most(rule: EventRule, events: Look, span: int) -> Verdicts:
    truth, flips = _stands(rule.count + 1, events, span)
    return ~truth, flips


def _did_exactly(rule: EventRule, events: Look, span: int) -> Verdicts:
    (is_enough, enough), (is_more, more) = events.nth(rule.count, span), events.nth(rule.count + 1, span)
    comes = np.minimum(events.next_at, _lapses(is_enough, enough, span))
    return is_enough & ~is_more, np.where(is_more, _lapses(is_more, more, span), comes)


def _first_time(rule: EventRule, events: Look, span: int) -> Verdicts:
    is_there, at = events.first()
    truth = is_there & (at > events.now - span)
    return truth, np.where(is_there, _lapses(truth, at, span), events.next_at)


def _last_time(rule: EventRule, events: Look, span: int) -> Verdicts:
    is_there, at = events.nth(1, span)
    silence = span_micros(rule.more_than)
    truth = is_there & (at <= events.now - silence)
    stays = np.minimum(events.next_at, _lapses(is_there, at, span))
    return truth, np.where(truth, stays, np.where(is_there, at + silence, events.next_at))


JUDGES: dict[str, Callable[[EventRule, Look, int], Verdicts]] = {
    "did": _did,
    "did_not": _did_not,
    "did_at_most": _did_at_most,
    "did_exactly": _did_exactly,
    "first_time": _first_time,
    "last_time": _last_time,
}


def is_counted(rule: Rule) -> bool:
    """Whether a condition can be judged here: it counts events in the last so long or ever, and which events it
    counts does not depend on the moment at which it is asked."""
    return (
        isinstance(rule, EventRule)
        and rule.operator in JUDGES
        and (rule.within is None or isinstance(rule.within, timedelta))
        and all(OPERATORS[item.operator].flips is None for item in rule.where)
    )


def judge(rule: EventRule, timeline: Timeline, who: Places, now: Moments) -> Verdicts:
    """Truth, and the next moment that may change it, of pairs of a contact and a moment."""
    span = span_micros(rule.within) if isinstance(rule.within, timedelta) else 0
    return JUDGES[rule.operator](rule, Look(timeline, who, now), span)


def looks_back(rule: EventRule) -> timedelta | None:
    """How long before a moment events still count; None: for ever."""
    if BEHAVIOURS[rule.operator].looks_back or not isinstance(rule.within, timedelta):
        return None
    return rule.within
