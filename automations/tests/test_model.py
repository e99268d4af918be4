"""Random workflows and random lives, played by the engine and by a plain reference: they must tell the same story.

`make night` plays many more (MODEL_CASES, MODEL_STEPS).
"""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from audience import services as audience
from audience.services import InternalEvent
from automations import services
from automations.models import AutomationRun, StepRun, Task
from automations.services import engine, entries
from automations.steps import STEPS, base
from automations.tests import making
from automations.tests.reference import Flow, Person, Reference
from common import clock, doorbell, outbox, tenancy
from common.errors import Permanent
from common.models import NoticeDelivery, WorkStatus

pytestmark = pytest.mark.django_db

CASES = int(os.environ.get("MODEL_CASES", "5"))
STEPS_EACH = int(os.environ.get("MODEL_STEPS", "10"))
PEOPLE = 3
EVENTS = ("signup", "order", "visit")
# No two sums of these meet a whole number of days, so that nothing happens at the very moment a window ends.
SPANS = (timedelta(hours=1, minutes=1), timedelta(hours=25, minutes=7), timedelta(days=2, minutes=11))

leaves = st.sampled_from(
    [
        making.where("city", "Leeds"),
        {"event": "order", "operator": "did"},
        {"event": "order", "operator": "did", "within": {"days": 1}},
        {"event": "visit", "operator": "did_not", "within": {"days": 1}},
        {"event": "visit", "operator": "did_not", "within": {"days": 2}},
        {"event": "visit", "operator": "did", "within": {"days": 3}},
    ]
)
rules = st.one_of(
    leaves,
    st.builds(
        lambda match, inner: {"match": match, "rules": inner},
        st.sampled_from(["all", "any", "none"]),
        st.lists(leaves, min_size=1, max_size=2),
    ),
)
days = st.builds(lambda count: {"days": count}, st.integers(1, 3))


def _action(kind: str, configuration: Any = None, branches: Any = None, **more: Any) -> dict[str, Any]:
    return {"action_type": kind, "configuration": configuration or {}, **more} | (
        {"branches": branches} if branches is not None else {}
    )


def _lines(inner: Any) -> Any:
    return st.lists(inner, max_size=3)


simple = st.one_of(
    st.builds(lambda title: _action("create_task", {"title": title}), st.sampled_from(["one", "two"])),
    st.builds(lambda span: _action("wait", span), days),
    st.builds(
        lambda policy: _action("create_task", {"title": "boom"}, on_error=policy),
        st.sampled_from(["stop", "continue", "exit"]),
    ),
    st.just(_action("exit")),
    st.just(_action("create_task", {"title": "off"}, is_active=False)),
)
steps = st.recursive(
    simple,
    lambda inner: st.one_of(
        st.builds(
            lambda said, one, other: _action("branch", {"rule": said}, {"then": one, "otherwise": other}),
            rules, _lines(inner), _lines(inner),
        ),
        st.builds(
            lambda said, span, one, other: _action(
                "wait_until", {"rule": said, "timeout": span}, {"met": one, "timed_out": other}
            ),
            rules, days, _lines(inner), _lines(inner),
        ),
        st.builds(
            lambda said, most, body: _action("repeat", {"until": said, "most": most}, {"body": body}),
            rules, st.integers(1, 3), _lines(inner),
        ),
    ),
    max_leaves=6,
)  # fmt: skip
flows = st.builds(
    lambda line, goal, end: {"actions": _numbered(line, iter(range(1000))), "goal_rule": goal, "exit_rule": end},
    st.lists(steps, min_size=1, max_size=4), st.none() | rules, st.none() | rules,
)  # fmt: skip


def _numbered(line: list[dict[str, Any]], numbers: Any) -> list[dict[str, Any]]:
    return [
        step
        | {"id": f"s{next(numbers)}"}
        | (
            {"branches": {name: _numbered(branch, numbers) for name, branch in step["branches"].items()}}
            if "branches" in step
            else {}
        )
        for step in line
    ]


def _flow(sent: dict[str, Any]) -> Flow:
    return Flow(sent["actions"], sent["goal_rule"], sent["exit_rule"])


tellings = st.tuples(st.integers(0, PEOPLE - 1), st.sampled_from(EVENTS), st.sampled_from("ab"))


class Killed(BaseException):
    """An engine that dies in the middle of a batch."""


class Story(RuleBasedStateMachine):
    """Everything happens to both, and after each act both must say the same."""

    @initialize(
        flow=flows,
        entry=st.sampled_from(["once", "again", "after_days", "concurrent"]),
        size=st.sampled_from([1, 2, 1000]),
        passes=st.sampled_from([1, 20]),
    )
    def begin(self, flow: dict[str, Any], entry: str, size: int, passes: int) -> None:
        self.exits = [transaction.atomic(), clock.freeze(clock.now())]
        for each in self.exits:
            each.__enter__()
        self.moment, self.serial = clock.now(), 0
        engine.BATCH, engine.MOST_PASSES = size, passes
        self.automation = making.automation(
            trigger_type="event", trigger_configuration={"name": "signup"}, name="Story", entry_rule=entry,
            **flow | ({"entry_days": 2} if entry == "after_days" else {})
            | ({"entry_key": "event.properties.cart"} if entry == "concurrent" else {}),
        )  # fmt: skip
        self.reference = Reference(self.moment, entry, 2, _flow(flow))
        self.contacts = [making.contact(name=f"P{number}", email="", city="York") for number in range(PEOPLE)]
        self.reference.people = [Person() for _ in range(PEOPLE)]
        # Everybody is inside, and has done what windows of time let go of.
        everybody = range(PEOPLE)
        self._record([(0, "order", "a"), *((person, "visit", "a") for person in everybody)])
        self._settle()
        self._record([(person, "signup", "a") for person in everybody])
        self._settle()

    @rule(told=st.lists(tellings, min_size=1, max_size=4))
    def happen(self, told: list[tuple[int, str, str]]) -> None:
        self._record(told)
        self._settle()

    def _record(self, told: list[tuple[int, str, str]]) -> None:
        events = []
        for person, name, cart in told:
            self.serial += 1
            events.append(
                InternalEvent(self.contacts[person].pk, name, clock.now(), f"m{self.serial}", {"cart": cart})
            )
            self.reference.people[person].events.append((name, clock.now()))
        audience.record(events)
        for person, name, cart in told:
            if name == "signup":
                self.reference.enter(person, cart)

    @rule(person=st.integers(0, PEOPLE - 1), city=st.sampled_from(["York", "Leeds"]))
    def move(self, person: int, city: str) -> None:
        audience.update_contacts([self.contacts[person].pk], {"city": city})
        self.reference.people[person].city = city
        self._settle()

    @rule(span=st.sampled_from(SPANS))
    def time_passes(self, span: timedelta) -> None:
        self.exits.pop().__exit__(None, None, None)
        self.moment += span
        self.exits.append(clock.freeze(self.moment))
        self.exits[-1].__enter__()
        self.reference.now = self.moment
        self._settle()

    @rule()
    def switch(self) -> None:
        self.automation.refresh_from_db()
        act = services.deactivate if self.automation.is_active else services.activate
        act(self.automation)
        self.reference.is_active = not self.reference.is_active
        self._settle()

    @rule(flow=flows)
    def publish(self, flow: dict[str, Any]) -> None:
        """Those inside stay on what they entered."""
        services.update_automation(self.automation, flow)
        self.reference.flow = _flow(flow)
        self._settle()

    @precondition(lambda self: self.reference.is_active)
    @rule(person=st.integers(0, PEOPLE - 1))
    def start_and_die(self, person: int) -> None:
        """An engine dies at its first task, after it has written it; the next one begins anew."""
        self.automation.refresh_from_db()
        services.start(self.automation, [self.contacts[person].pk])
        self.reference.enter(person, "")
        kind = STEPS["create_task"]
        STEPS._entries["create_task"] = base.StepKind(
            kind.label, kind.doc, kind.configuration, _dying(kind.execute), kind.sentence, kind.check
        )
        try:
            with transaction.atomic():
                engine.run(tenancy.required())
        except Killed:
            pass
        finally:
            STEPS._entries["create_task"] = kind
        self._settle()

    @rule()
    def told_again(self) -> None:
        """Every notice is delivered once more."""
        NoticeDelivery.objects.filter(status=WorkStatus.DONE).update(status=WorkStatus.PENDING)
        self._settle()

    def _settle(self) -> None:
        organization_id = tenancy.required()
        while audience.process(organization_id) + outbox.deliver(organization_id) + engine.run(organization_id):
            pass
        self.reference.work()
        assert self._told() == sorted((self._of(run) for run in self.reference.runs), key=repr)

    def _told(self) -> list[Any]:
        places = {contact.pk: place for place, contact in enumerate(self.contacts)}
        found = []
        for run in AutomationRun.objects.order_by("pk"):
            log = [
                (row.step_id, row.outcome, row.detail.get("branch", ""))
                for row in StepRun.objects.filter(run=run).order_by("number")
            ]
            status = "running" if run.status == "held" else run.status
            found.append(
                (places[run.contact_id], run.inside_key, status, run.exit_reason, run.step_id, log, self._titles(run))
            )
        return sorted(found, key=repr)

    def _titles(self, run: AutomationRun) -> list[str]:
        mine = Task.objects.filter(source_key__startswith=f"automation:{run.pk}:").order_by("pk")
        return list(mine.values_list("title", flat=True))

    def _of(self, run: Any) -> Any:
        return (run.person, run.key, run.status, run.reason, run.step, run.log, run.titles)

    def teardown(self) -> None:
        if hasattr(self, "exits"):
            transaction.set_rollback(True)
            for each in reversed(self.exits):
                each.__exit__(None, None, None)


def _failing(execute: Any) -> Any:
    def attempt(configuration: Any, group: base.Group) -> base.Results:
        if configuration.title == "boom":
            raise Permanent("Boom.")
        return execute(configuration, group)

    return attempt


def _dying(execute: Any) -> Any:
    def attempt(configuration: Any, group: base.Group) -> base.Results:
        execute(configuration, group)
        raise Killed

    return attempt


def test_the_engine_tells_the_same_story_as_the_reference(organization, monkeypatch) -> None:
    kind = STEPS["create_task"]
    failing = base.StepKind(
        kind.label, kind.doc, kind.configuration, _failing(kind.execute), kind.sentence, kind.check
    )
    monkeypatch.setitem(STEPS._entries, "create_task", failing)
    monkeypatch.setattr(entries, "MOST_ENTRIES_PER_DAY", 10_000)
    monkeypatch.setattr(engine, "BATCH", engine.BATCH)
    monkeypatch.setattr(engine, "MOST_PASSES", engine.MOST_PASSES)
    monkeypatch.setattr(doorbell, "ring", lambda *_: None)
    run_state_machine_as_test(
        Story,
        settings=settings(
            max_examples=CASES,
            stateful_step_count=STEPS_EACH,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate, Phase.shrink],
            derandomize=CASES < 50,
        ),
    )
