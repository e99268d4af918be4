"""Everybody's way through a workflow, step by step and everybody at once.

A workflow is a tree, so nobody needs a clock: each step is handed all who come to it with the moment at which each
comes, and hands on those who go on with the moment at which each leaves. People never meet, so it does not matter
that one of them is a month ahead of another.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from automations.domain.tree import Step
from automations.simulation.flow import Flow, settings_of
from common.later import later
from common.moments import NEVER

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from common.moments import Ids, Moments
    from segments.past import Past

    Places = NDArray[np.int64]
    Ways = NDArray[np.int16]
else:
    np = later("numpy")

# Where somebody goes from a step; branches are counted from 0 in the order of the step.
ON, OUT, INSIDE, GOAL, EXIT_RULE = -1, -2, -3, -4, -5
ENDED = {OUT: "step", GOAL: "goal", EXIT_RULE: "exit_rule"}


@dataclass(frozen=True)
class Travellers:
    """Runs as columns: who, and when they came in."""

    contact: Ids
    entered_at: Moments

    def __len__(self) -> int:
        return len(self.contact)


@dataclass(frozen=True)
class Moved:
    """Where each of those at a step goes and when: `way` is ON, OUT or the number of a branch."""

    way: Ways
    left_at: Moments


@dataclass(frozen=True)
class Passage:
    """What one step did with all who came to it at once. `who` are places among the travellers."""

    step: Step
    who: Places
    at: Moments
    way: Ways
    left_at: Moments


@dataclass(frozen=True)
class Crowd:
    """Those who stand at a step, as its kind is told about them."""

    contact: Ids
    at: Moments
    until: int
    past: Past
    automation_id: int = 0


Judge = Callable[[Any, Step, Crowd], Moved]


@dataclass
class Walk:
    """One walk of many travellers. `ended_at` is NEVER and `outcome` INSIDE for those still inside at the end."""

    flow: Flow
    travellers: Travellers
    until: int
    past: Past
    judges: Callable[[str], Judge]
    goal_at: Moments
    exit_at: Moments
    passages: list[Passage] = field(default_factory=list)
    ended_at: Moments = field(init=False)
    outcome: Ways = field(init=False)

    def __post_init__(self) -> None:
        self.ended_at = np.full(len(self.travellers), NEVER, dtype=np.int64)
        self.outcome = np.full(len(self.travellers), INSIDE, dtype=np.int16)

    def run(self) -> None:
        """Everybody from the first step to the end of what is known."""
        who = np.arange(len(self.travellers))
        who, at = self._line(self.flow.steps, who, self.travellers.entered_at.copy())
        self._end(who, at, ON)

    def _line(self, steps: Sequence[Step], who: Places, at: Moments) -> tuple[Places, Moments]:
        for step in steps:
            if step.is_active and len(who):
                who, at = self._repeat(step, who, at) if step.type == "repeat" else self._step(step, who, at)
        return who, at

    def _step(self, step: Step, who: Places, at: Moments) -> tuple[Places, Moments]:
        way, left_at = self._ask(step, who, at)
        stays = way == ON
        parts = [(who[stays], left_at[stays])]
        for place, branch in enumerate(step.branches.values()):
            into = way == place
            if into.any():
                parts.append(self._line(branch, who[into], left_at[into]))
        return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])

    def _repeat(self, step: Step, who: Places, at: Moments) -> tuple[Places, Moments]:
        """Asked before each turn; whoever has had `most` turns goes on as well."""
        body = next(iter(step.branches.values()), ())
        out: list[tuple[Places, Moments]] = []
        turns = int(settings_of(step).most)
        for turn in range(turns + 1):
            if not len(who):
                break
            way, left_at = self._ask(step, who, at, is_over=turn == turns)
            done, again = way == ON, way == 0
            out.append((who[done], left_at[done]))
            who, at = self._line(body, who[again], left_at[again])
        return np.concatenate([part[0] for part in out]), np.concatenate([part[1] for part in out])

    def _ask(self, step: Step, who: Places, at: Moments, *, is_over: bool = False) -> tuple[Ways, Moments]:
        """What becomes of each at this step; the goal and the exit rule go before whatever the step says."""
        way = np.full(len(who), ON, dtype=np.int16)
        left_at = at.copy()
        goes = np.minimum(self.goal_at[who], self.exit_at[who]) > at
        if goes.any():
            crowd = Crowd(
                self.travellers.contact[who[goes]],
                at[goes],
                self.until,
                self.past,
                self.flow.automation_id,
            )
            moved = self.judges(step.type)(settings_of(step), step, crowd)
            way[goes], left_at[goes] = moved.way, moved.left_at
        if is_over:
            way[way == 0] = ON
        self._cut(who, at, way, left_at)
        self.passages.append(Passage(step, who, at, way, left_at))
        return way, left_at

    def _cut(self, who: Places, at: Moments, way: Ways, left_at: Moments) -> None:
        """End those whom the goal or the exit rule takes out at the step or while they wait at it, those who leave
        by the step itself, and mark those who still stand there at the end."""
        goal_at, exit_at = self.goal_at[who], self.exit_at[who]
        first = np.minimum(goal_at, exit_at)
        taken = (first <= left_at) & (first <= self.until)
        way[taken] = np.where(goal_at[taken] <= exit_at[taken], GOAL, EXIT_RULE)
        left_at[taken] = np.maximum(first[taken], at[taken])
        inside = ~taken & (left_at > self.until)
        way[inside], left_at[inside] = INSIDE, NEVER
        for reason in (GOAL, EXIT_RULE, OUT):
            gone = way == reason
            self._end(who[gone], left_at[gone], reason)

    def _end(self, who: Places, at: Moments, outcome: int) -> None:
        self.ended_at[who], self.outcome[who] = at, outcome
