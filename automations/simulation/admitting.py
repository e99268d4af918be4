"""Who enters, by the entry rule: whoever hears the trigger, meets its filter, and is not kept out by an earlier turn.

Everybody's way is known without knowing who else is on theirs, so several turns of one contact are walked at once
and those that could not have begun are dropped afterwards: twice as many each time, so that few looks are enough
for somebody with many and few turns are walked in vain for somebody with long ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from automations.models import EntryRule
from automations.services.entries import MOST_ENTRIES_PER_DAY
from automations.simulation import asking
from automations.simulation.candidates import Candidates
from automations.simulation.flow import Flow
from automations.simulation.walker import Travellers, Walk
from common.later import later
from common.moments import NEVER, span_micros

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from common.moments import Moments, Truths
    from segments.past import Past

    Places = NDArray[np.int64]
else:
    np = later("numpy")

# Why somebody did not enter.
FILTERED, ONCE, INSIDE, TOO_SOON, GUARD = "filter", "once", "inside", "too_soon", "guard"
DAY = span_micros(timedelta(days=1))
NOBODY = -NEVER


@dataclass(frozen=True)
class Wave:
    """A walk, and which of its travellers really began it."""

    walk: Walk
    is_admitted: Truths


class Seats:
    """Who of one block is inside and until when: a seat for each contact, or for each of its keys where a workflow
    may be in several times at once. Beside it the last entries of each contact, for the guard against loops."""

    def __init__(self, heard: Candidates, *, by_key: bool) -> None:
        keys = heard.key if by_key else np.zeros_like(heard.key)
        self.seat = _numbered(np.stack([heard.contact, keys]))
        self.guest = _numbered(heard.contact[np.newaxis])
        self.at = heard.at
        self.ended = np.full(len(heard), NOBODY, dtype=np.int64)
        guests = int(self.guest.max()) + 1 if len(heard) else 0
        self.lately = np.full((guests, MOST_ENTRIES_PER_DAY), NOBODY, dtype=np.int64)
        self.count = np.zeros(guests, dtype=np.int64)


class Gate:
    """The entry rule; it counts whom it refuses."""

    def __init__(self, flow: Flow) -> None:
        self.rule = flow.entry_rule
        self.pause = span_micros(timedelta(days=flow.entry_days)) if self.rule == EntryRule.AFTER_DAYS else 0
        self.refused: Counter[str] = Counter()

    def open(self, seats: Seats, turns: Places) -> Truths:
        """Which of these turns no earlier one keeps out; the others are counted."""
        ended, at = seats.ended[seats.seat[turns]], seats.at[turns]
        is_free = ended == NOBODY
        if self.rule == EntryRule.ONCE:
            self.refused[ONCE] += int((~is_free).sum())
            return is_free
        is_inside = ~is_free & (at <= ended)
        is_soon = ~is_free & ~is_inside & (at - self.pause < ended)
        self.refused[INSIDE] += int(is_inside.sum())
        self.refused[TOO_SOON] += int(is_soon.sum())
        return ~is_inside & ~is_soon

    def admit(self, seats: Seats, turns: Places, ended_at: Moments) -> Truths:
        """Which of these turns (by contact and moment) begin, in their order; their ends are remembered."""
        begins = np.zeros(len(turns), dtype=np.bool_)
        numbers = _turn_numbers(seats.guest[turns])
        order = np.argsort(numbers, kind="stable")
        for places in np.split(order, np.flatnonzero(np.diff(numbers[order])) + 1):
            places = places[self.open(seats, turns[places])]
            begins[places] = self._begin(seats, turns[places], ended_at[places])
        return begins

    def _begin(self, seats: Seats, turns: Places, ended_at: Moments) -> Truths:
        """At most one turn of each contact: whoever came too often within a day lies among the dead letters from
        then on, and whoever lies there is inside."""
        guest, at = seats.guest[turns], seats.at[turns]
        place = seats.count[guest] % MOST_ENTRIES_PER_DAY
        is_loop = seats.lately[guest, place] > at - DAY
        begun = guest[~is_loop]
        seats.lately[begun, place[~is_loop]] = at[~is_loop]
        seats.count[begun] += 1
        seats.ended[seats.seat[turns]] = np.where(is_loop, NEVER, ended_at)
        self.refused[GUARD] += int(is_loop.sum())
        return ~is_loop


def waves(
    flow: Flow, heard: Candidates, past: Past, walk: Callable[[Travellers], Walk], gate: Gate
) -> Iterator[Wave]:
    """The turns of these candidates (by contact and moment), walked. What was refused is counted at the gate."""
    seats = Seats(heard, by_key=flow.entry_rule == EntryRule.CONCURRENT)
    remaining, at_once = np.arange(len(heard)), 1
    while len(remaining):
        is_chosen = _turn_numbers(heard.contact[remaining]) < at_once
        chosen, remaining = remaining[is_chosen], remaining[~is_chosen]
        passed = chosen[_meets(flow, heard, past, chosen)]
        gate.refused[FILTERED] += len(chosen) - len(passed)
        if len(passed):
            walked = walk(Travellers(heard.contact[passed], heard.at[passed]))
            yield Wave(walked, gate.admit(seats, passed, walked.ended_at))
        remaining = remaining[gate.open(seats, remaining)]
        at_once *= 2


def _numbered(columns: NDArray[np.int64]) -> Places:
    """The same number for the same column of numbers, from 0 without gaps."""
    return np.unique(columns, axis=1, return_inverse=True)[1].reshape(-1)


def _turn_numbers(contacts: NDArray[np.int64]) -> NDArray[np.int64]:
    """0, 1, 2 … for the entries of each contact; they stand together."""
    starts = np.flatnonzero(np.r_[True, contacts[1:] != contacts[:-1]])
    return np.arange(len(contacts)) - np.repeat(starts, np.diff(np.r_[starts, len(contacts)]))


def _meets(flow: Flow, heard: Candidates, past: Past, chosen: NDArray[np.int64]) -> Truths:
    rule = flow.trigger_settings.filter
    if rule is None:
        return np.ones(len(chosen), dtype=np.bool_)
    return asking.truths(past, rule, heard.contact[chosen], heard.at[chosen])
