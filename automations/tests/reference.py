"""A workflow engine as one would tell it: one person at a time, plain Python, no database. Lives in tests only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

Step = dict[str, Any]


@dataclass
class Person:
    city: str = "York"
    events: list[tuple[str, datetime]] = field(default_factory=list)


@dataclass
class Flow:
    """One version of a workflow."""

    steps: list[Step]
    goal: Any = None
    exit: Any = None


@dataclass
class Run:
    """`log` is what was done: (step, outcome, branch)."""

    person: int
    key: str
    status: str = "running"
    reason: str = ""
    step: str = ""
    left_at: datetime | None = None
    log: list[tuple[str, str, str]] = field(default_factory=list)
    titles: list[str] = field(default_factory=list)
    life: Iterator[None] = field(default_factory=lambda: iter(()))


class Left(Exception):
    """The run leaves, for this reason."""


class Dead(Exception):
    """The step failed for good."""


class Reference:
    """One workflow and its people. Everybody is looked at whenever anything is done."""

    def __init__(self, now: datetime, entry: str, days: int, flow: Flow) -> None:
        self.now, self.entry, self.days, self.flow = now, entry, days, flow
        self.is_active = True
        self.people: list[Person] = []
        self.runs: list[Run] = []

    # --- who enters -------------------------------------------------------------------------------

    def enter(self, person: int, key: str) -> None:
        key = key if self.entry == "concurrent" else ""
        if not self.is_active or not self._may_enter([run for run in self.runs if run.person == person], key):
            return
        run = Run(person, key)
        run.life = self._live(run, self.flow)
        self.runs.append(run)

    def _may_enter(self, earlier: list[Run], key: str) -> bool:
        if any(run.key == key and run.status in ("running", "failed") for run in earlier):
            return False
        if self.entry == "once":
            return not earlier
        left = [run.left_at for run in earlier if run.left_at is not None]
        return self.entry != "after_days" or not left or max(left) <= self.now - timedelta(days=self.days)

    # --- what becomes of them ---------------------------------------------------------------------

    def work(self) -> None:
        for run in self.runs if self.is_active else []:
            if run.status == "running":
                next(run.life, None)

    def _live(self, run: Run, flow: Flow) -> Iterator[None]:
        try:
            yield from self._play(run, flow, flow.steps)
            run.status = "completed"
        except Left as left:
            run.status, run.reason = "exited", str(left)
        except Dead:
            run.status = "failed"
            return
        run.step, run.left_at = "", self.now

    def _play(self, run: Run, flow: Flow, steps: list[Step]) -> Iterator[None]:
        for step in steps:
            if step.get("is_active", True):
                run.step = step["id"]
                self._end(run, flow)
                yield from getattr(self, f"_{step['action_type']}")(run, flow, step)

    def _end(self, run: Run, flow: Flow) -> None:
        for rule, outcome, reason in ((flow.goal, "goal", "goal"), (flow.exit, "exited", "exit_rule")):
            if rule is not None and self.holds(rule, run.person):
                run.log.append((run.step, outcome, ""))
                raise Left(reason)

    def _create_task(self, run: Run, flow: Flow, step: Step) -> Iterator[None]:
        title = step["configuration"]["title"]
        if title == "boom":
            run.log.append((run.step, "failed", ""))
            if step["on_error"] == "exit":
                raise Left("error")
            if step["on_error"] == "stop":
                raise Dead
            return
        run.titles.append(title)
        run.log.append((run.step, "done", ""))
        yield from ()

    def _exit(self, run: Run, flow: Flow, step: Step) -> Iterator[None]:
        run.log.append((run.step, "exited", ""))
        raise Left("step")
        yield

    def _wait(self, run: Run, flow: Flow, step: Step) -> Iterator[None]:
        until = self.now + timedelta(**step["configuration"])
        while self.now < until:
            yield
            self._end(run, flow)
        run.log.append((run.step, "waited", ""))

    def _branch(self, run: Run, flow: Flow, step: Step) -> Iterator[None]:
        yield from self._into(
            "then" if self.holds(step["configuration"]["rule"], run.person) else "otherwise", run, flow, step
        )

    def _wait_until(self, run: Run, flow: Flow, step: Step) -> Iterator[None]:
        until = self.now + timedelta(**step["configuration"]["timeout"])
        while not self.holds(step["configuration"]["rule"], run.person):
            if self.now >= until:
                yield from self._into("timed_out", run, flow, step)
                return
            yield
            self._end(run, flow)
        yield from self._into("met", run, flow, step)

    def _repeat(self, run: Run, flow: Flow, step: Step) -> Iterator[None]:
        for _ in range(step["configuration"]["most"]):
            if self.holds(step["configuration"]["until"], run.person):
                break
            yield from self._into("body", run, flow, step)
            run.step = step["id"]
            self._end(run, flow)
        run.log.append((step["id"], "done", ""))

    def _into(self, branch: str, run: Run, flow: Flow, step: Step) -> Iterator[None]:
        run.log.append((run.step, "branched", branch))
        yield from self._play(run, flow, step["branches"][branch])

    # --- what a rule says -------------------------------------------------------------------------

    def holds(self, rule: Any, person: int) -> bool:
        who = self.people[person]
        if "match" in rule:
            answers = [self.holds(inner, person) for inner in rule["rules"]]
            return {"all": all(answers), "any": any(answers), "none": not any(answers)}[rule["match"]]
        if "field" in rule:
            return who.city == rule["value"]
        since = self.now - timedelta(**rule["within"]) if "within" in rule else None
        did = any(name == rule["event"] and (since is None or at > since) for name, at in who.events)
        return did == (rule["operator"] == "did")
