"""Who enters, by the entry rule: whoever hears the trigger, meets its filter, and is not kept out by an earlier turn.

Everybody's way is known without knowing who else is on theirs, so several turns of one contact are walked at once
and those that could not have begun are dropped afterwards: twice as many each time, so that few looks are enough
for somebody with many and few turns are walked in vain for somebody with long ones.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
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

    from common.moments import Truths
    from segments.past import Past
else:
    np = later("numpy")

# Why somebody did not enter.
FILTERED, ONCE, INSIDE, TOO_SOON, GUARD = "filter", "once", "inside", "too_soon", "guard"
DAY = span_micros(timedelta(days=1))


@dataclass(frozen=True)
class Wave:
    """A walk, and which of its travellers really began it."""

    walk: Walk
    is_admitted: Truths


class Gate:
    """The entry rule for the contacts of one block."""

    def __init__(self, flow: Flow) -> None:
        self.rule = flow.entry_rule
        self.pause = span_micros(timedelta(days=flow.entry_days)) if self.rule == "after_days" else 0
        self.refused: Counter[str] = Counter()
        self._ended: dict[tuple[int, int], int] = {}
        self._entered: dict[int, deque[int]] = defaultdict(deque)

    def why_not(self, contact: int, key: int, at: int) -> str:
        """What keeps this turn out; empty: nothing."""
        ended = self._ended.get((contact, key))
        if ended is None:
            return ""
        if self.rule == EntryRule.ONCE:
            return ONCE
        if at <= ended:
            return INSIDE
        return TOO_SOON if at < ended + self.pause else ""

    def admit(self, contact: int, key: int, at: int, ended_at: int) -> bool:
        """Whether a turn begins; of one that does, its end is remembered."""
        if reason := self.why_not(contact, key, at):
            self.refused[reason] += 1
            return False
        lately = self._entered[contact]
        while lately and lately[0] <= at - DAY:
            lately.popleft()
        if len(lately) >= MOST_ENTRIES_PER_DAY:
            self.refused[GUARD] += 1
            self._ended[contact, key] = NEVER  # it lies among the dead letters, and whoever lies there is inside
            return False
        lately.append(at)
        self._ended[contact, key] = ended_at
        return True


def waves(
    flow: Flow, heard: Candidates, past: Past, walk: Callable[[Travellers], Walk], gate: Gate
) -> Iterator[Wave]:
    """The turns of these candidates (by contact and moment), walked. What was refused is counted at the gate."""
    keys = heard.key if flow.entry_rule == "concurrent" else np.zeros_like(heard.key)
    remaining, at_once = np.arange(len(heard)), 1
    while len(remaining):
        is_chosen = _turn_numbers(heard.contact[remaining]) < at_once
        chosen, remaining = remaining[is_chosen], remaining[~is_chosen]
        passed = chosen[_meets(flow, heard, past, chosen)]
        gate.refused[FILTERED] += len(chosen) - len(passed)
        if len(passed):
            walked = walk(Travellers(heard.contact[passed], heard.at[passed]))
            yield Wave(walked, _admitted(gate, heard, keys, passed, walked.ended_at))
        remaining = remaining[_open(gate, heard, keys, remaining)]
        at_once *= 2


def _turn_numbers(contacts: NDArray[np.int64]) -> NDArray[np.int64]:
    """0, 1, 2 … for the entries of each contact; they stand together."""
    starts = np.flatnonzero(np.r_[True, contacts[1:] != contacts[:-1]])
    return np.arange(len(contacts)) - np.repeat(starts, np.diff(np.r_[starts, len(contacts)]))


def _meets(flow: Flow, heard: Candidates, past: Past, chosen: NDArray[np.int64]) -> Truths:
    rule = flow.trigger_settings.filter
    if rule is None:
        return np.ones(len(chosen), dtype=np.bool_)
    return asking.truths(past, rule, heard.contact[chosen], heard.at[chosen])


def _admitted(
    gate: Gate, heard: Candidates, keys: NDArray[np.int64], chosen: NDArray[np.int64], ended: NDArray[np.int64]
) -> Truths:
    columns = (heard.contact[chosen], keys[chosen], heard.at[chosen], ended)
    turns = zip(*(column.tolist() for column in columns), strict=True)
    return np.array([gate.admit(*turn) for turn in turns], dtype=np.bool_)


def _open(gate: Gate, heard: Candidates, keys: NDArray[np.int64], places: NDArray[np.int64]) -> Truths:
    """Which turns nothing that is known keeps out already; the others are counted."""
    columns = (heard.contact[places], keys[places], heard.at[places])
    reasons = [gate.why_not(*turn) for turn in zip(*(column.tolist() for column in columns), strict=True)]
    gate.refused.update(reason for reason in reasons if reason)
    return np.array([not reason for reason in reasons], dtype=np.bool_)
