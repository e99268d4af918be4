"""What a kind of step is: how it is configured, checked, told in words, and done for a whole group of runs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

import msgspec

from automations.configuration import Wrong
from automations.models import RunStatus, StepOutcome

C = TypeVar("C", bound=msgspec.Struct)


class Traveller(msgspec.Struct, gc=False):
    """A claimed run in memory: the engine moves it, steps read it."""

    id: int
    automation_id: int
    version_id: int
    contact_id: int
    step_id: str
    run_at: datetime
    waiting_since: datetime | None
    waits_until: datetime | None
    entered_at: datetime
    attempts: int
    step_count: int
    depth: int
    laps_json: str
    facts_json: str
    status: str = RunStatus.RUNNING
    error: str = ""
    exit_reason: str = ""
    finished_at: datetime | None = None
    # An array literal: what ends its wait early.
    wakes_on: str = "{}"
    # When time alone may change what its goal and exit say.
    flips_at: datetime | None = None

    @property
    def facts(self) -> dict[str, Any]:
        """What started the run, e.g. `{"event": {"id": …, "name": …}}`, and the `offer` that a step gave last."""
        found: dict[str, Any] = msgspec.json.decode(self.facts_json or "{}")
        return found

    @property
    def laps(self) -> dict[str, int]:
        """Turns begun of each repeating step it is inside of, and under "" of all that ever began."""
        found: dict[str, int] = {} if self.laps_json == "{}" else msgspec.json.decode(self.laps_json)
        return found

    def set_laps(self, laps: dict[str, int]) -> None:
        self.laps_json = msgspec.json.encode(laps).decode()


@dataclass(frozen=True)
class Group:
    """Runs that stand on the same step of the same version, to be served together."""

    automation_id: int
    step_id: str
    runs: Sequence[Traveller]
    now: datetime

    @property
    def contact_ids(self) -> list[int]:
        """Their contacts in a fixed order, so that two engines lock them in the same order."""
        return sorted({run.contact_id for run in self.runs})

    def key(self, run: Traveller) -> str:
        """The idempotency key of this step's effect for one run, in a repeated part another in each turn."""
        turn = run.laps.get("", 0)
        return f"automation:{run.id}:{self.step_id}:{turn}" if turn else f"automation:{run.id}:{self.step_id}"


@dataclass(frozen=True)
class Result:
    """What a step did for one run, and where the run goes: on, into `branch`, out, or stays until `wait_until`.

    A step whose kind `wakes` is asked again before that: at `look_at`, and when something it wakes on happened.
    """

    outcome: StepOutcome = StepOutcome.DONE
    detail: dict[str, Any] = field(default_factory=dict)
    branch: str = ""
    leaves: bool = False
    wait_until: datetime | None = None
    look_at: datetime | None = None


DONE = Result()
# By run id; a run that is not named is done.
Results = Mapping[int, Result]
ALL_DONE: Results = {}


def skipped(reason: str) -> Result:
    """Nothing to do for this contact; it goes on."""
    return Result(StepOutcome.SKIPPED, {"reason": reason})


def nothing_wrong(configuration: Any, wrong: Wrong) -> None:
    """For kinds whose configuration names nothing that must exist."""


@dataclass(frozen=True)
class StepKind(Generic[C]):
    """One kind of step. `execute` runs inside the engine's transaction, for the whole group, off the network."""

    label: str
    doc: str
    configuration: type[C]
    execute: Callable[[C, Group], Results]
    sentence: Callable[[C], str]
    check: Callable[[C, Wrong], None] = nothing_wrong
    # Makes ready what a step needs, once everything is found right and in the transaction that publishes.
    publish: Callable[[C, Wrong], None] = nothing_wrong
    # Where it stands in the toolbox.
    group: str = ""
    branches: tuple[str, ...] = ()
    branch_labels: Mapping[str, str] = field(default_factory=dict)
    # For kinds whose branches follow from their configuration: their names, None where that is wrong.
    branches_of: Callable[[C], Sequence[str] | None] | None = None
    # … and the field that they follow from: a list of ways with names, or one whose choice brings them.
    branches_from: str = ""
    # Where its configuration holds segment rules: kept by id when published, and edited in the rule builder.
    rules: tuple[str, ...] = ()
    # For kinds that wait for something: its keys, as in `AutomationRun.wakes_on`.
    wakes: Callable[[C], Collection[str]] | None = None
    # Its branches lead back to it.
    repeats: bool = False
