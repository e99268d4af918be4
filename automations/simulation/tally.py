"""What came of everybody's ways: counts by step, branch and day, and some people to look at."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from automations.simulation.admitting import Wave
from automations.simulation.walker import ENDED, EXIT_RULE, GOAL, INSIDE, ON, OUT, Passage
from common.later import later
from common.moments import NEVER, micros, moment

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from common.moments import Moments, Truths
else:
    np = later("numpy")

SAMPLE = 5
COMPLETED = "completed"


class Days:
    """The days of a span where the organisation is."""

    def __init__(self, since: datetime, until: datetime, zone: ZoneInfo) -> None:
        first, last = since.astimezone(zone).date(), (until - timedelta(microseconds=1)).astimezone(zone).date()
        self.days: list[date] = [first + timedelta(days=number) for number in range((last - first).days + 1)]
        starts = [micros(datetime(day.year, day.month, day.day, tzinfo=zone)) for day in self.days]
        self._starts = np.array(starts, dtype=np.int64)
        self._end = micros(until)

    def counts(self, at: Moments) -> NDArray[np.int64]:
        """How many of these moments lie on each day; what lies after the last is left out."""
        places = np.searchsorted(self._starts, at[at < self._end], side="right") - 1
        return np.bincount(places[places >= 0], minlength=len(self.days))


@dataclass
class StepTally:
    """One step: who came, where they went, how long they stayed, and some of them (contact, entered at)."""

    reached: int = 0
    people: int = 0
    inside: int = 0
    ways: Counter[str] = field(default_factory=Counter)
    goal_before: int = 0
    exit_before: int = 0
    goal_later: int = 0
    waited_micros: int = 0
    waited_count: int = 0
    sample: list[tuple[int, int]] = field(default_factory=list)
    sample_of: dict[str, list[tuple[int, int]]] = field(default_factory=dict)

    @property
    def passed(self) -> int:
        return self.reached - self.inside - self.goal_before - self.exit_before


@dataclass
class Tally:
    """Everything, block after block."""

    days: Days
    steps: dict[str, StepTally] = field(default_factory=dict)
    entries: int = 0
    contacts: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    goal_at_entry: int = 0
    goal_micros: list[Any] = field(default_factory=list)
    entries_per_day: Any = None
    ends_per_day: dict[str, Any] = field(default_factory=dict)

    def add(self, wave: Wave) -> None:
        """Count the admitted turns of a wave."""
        walk, mask = wave.walk, wave.is_admitted
        at = walk.travellers.entered_at[mask]
        self.entries += int(mask.sum())
        per_day = self.days.counts(at)
        self.entries_per_day = per_day if self.entries_per_day is None else self.entries_per_day + per_day
        self._ends(wave)
        for passage in walk.passages:
            self._passage(wave, passage)

    def _ends(self, wave: Wave) -> None:
        mask = wave.is_admitted
        outcome, ended = wave.walk.outcome[mask], wave.walk.ended_at[mask]
        entered = wave.walk.travellers.entered_at[mask]
        names = {ON: COMPLETED, INSIDE: "inside", **ENDED}
        for number, name in names.items():
            is_so = outcome == number
            self.outcomes[name] += int(is_so.sum())
            if number != INSIDE:
                per_day = self.days.counts(ended[is_so])
                self.ends_per_day[name] = self.ends_per_day.get(name, 0) + per_day
        reached = outcome == GOAL
        self.goal_at_entry += int((reached & (ended == entered)).sum())
        self.goal_micros.append((ended - entered)[reached])

    def _passage(self, wave: Wave, passage: Passage) -> None:
        step, keep = passage.step, wave.is_admitted[passage.who]
        if not keep.any():
            return
        told = self.steps.setdefault(step.id, StepTally())
        who, way = passage.who[keep], passage.way[keep]
        at, left = passage.at[keep], passage.left_at[keep]
        told.reached += len(who)
        for number, count in zip(*np.unique(way, return_counts=True), strict=True):
            self._way(told, passage, int(number), int(count), (way == number) & (left == at))
        waited = (left > at) & (left < NEVER)
        told.waited_micros += int((left - at)[waited].sum())
        told.waited_count += int(waited.sum())
        told.goal_later += int((wave.walk.outcome[np.unique(who)] == GOAL).sum())
        _sample(told.sample, wave, who)
        for number in np.unique(way[way >= 0]).tolist():
            name = list(step.branches)[number]
            _sample(told.sample_of.setdefault(name, []), wave, who[way == number])

    def _way(self, told: StepTally, passage: Passage, number: int, count: int, at_once: Truths) -> None:
        if number >= 0:
            told.ways[list(passage.step.branches)[number]] += count
        elif number == INSIDE:
            told.inside += count
        elif number == GOAL:
            told.goal_before += int(at_once.sum())
            told.ways["goal"] += count
        elif number == EXIT_RULE:
            told.exit_before += int(at_once.sum())
            told.ways["exit_rule"] += count
        elif number == OUT:
            told.ways["out"] += count
        else:
            told.ways["on"] += count


def _sample(held: list[tuple[int, int]], wave: Wave, who: NDArray[np.int64]) -> None:
    for place in np.unique(who[: 4 * SAMPLE]).tolist():
        if len(held) >= SAMPLE:
            return
        one = (int(wave.walk.travellers.contact[place]), int(wave.walk.travellers.entered_at[place]))
        if one[0] not in {contact for contact, _ in held}:
            held.append(one)


def shown(sample: list[tuple[int, int]]) -> list[dict[str, Any]]:
    """People of a sample as the result keeps them."""
    return [{"contact_id": contact, "entered_at": moment(at).isoformat()} for contact, at in sample]
