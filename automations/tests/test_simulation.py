"""A replay of a time says what the live engine did in it: the same entries, the same ways, the same messages."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from accounts.models import Organization
from audience import services as audience
from automations.models import Automation, AutomationRun, RunStatus, StepRun
from automations.services import engine
from automations.simulation import flow as flows
from automations.simulation import replay, sources
from automations.simulation.admitting import Gate
from automations.simulation.flow import Flow
from automations.simulation.walker import EXIT_RULE, GOAL, INSIDE, OUT
from automations.tests import making
from common import clock, outbox, tenancy
from common.moments import moment
from delivery.models import Message
from segments.tests import people

CASES = int(os.environ.get("SIMULATION_CASES", "3"))
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
END = NOON + timedelta(days=6)
EVENTS = ["signup", "order", "visit"]


@contextmanager
def rolled_back() -> Iterator[None]:
    """What happens inside leaves nothing behind."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def did(name: str, **more: Any) -> dict[str, Any]:
    return {"event": name, "operator": "did", **more}


def play(happenings: list[tuple[timedelta, int, str, float]]) -> None:
    """Let events come, each at its moment, and the engine do what is due at every moment between them."""
    for number, (after, contact_id, name, total) in enumerate(sorted(happenings)):
        _wait(NOON + after)
        with clock.freeze(NOON + after):
            event = audience.InternalEvent(contact_id, name, clock.now(), f"event-{number}", {"total": total})
            audience.record([event])
            audience.process(tenancy.required())
            outbox.deliver(tenancy.required())
            engine.run(tenancy.required())
    _wait(END)


def _wait(until: datetime) -> None:
    while True:
        due = AutomationRun.objects.filter(status=RunStatus.RUNNING).order_by("run_at").values_list("run_at").first()
        if due is None or due[0] > until:
            return
        with clock.freeze(due[0]):
            engine.run(tenancy.required())


def lived(automation: Automation) -> Counter[tuple[Any, ...]]:
    """(contact, step, moment, where to) of everything that was done, and of each entry."""
    rows = StepRun.objects.filter(run__automation=automation).values_list(
        "run__contact_id", "step_id", "happened_at", "outcome", "detail"
    )
    found = Counter((who, step, at, detail.get("branch") or outcome) for who, step, at, outcome, detail in rows)
    runs = AutomationRun.objects.filter(automation=automation).values_list("contact_id", "entered_at")
    return found + Counter((who, "", at, "entered") for who, at in runs)


WORDS = {GOAL: "goal", EXIT_RULE: "exited", OUT: "exited"}


def replayed(flow: Flow) -> Counter[tuple[Any, ...]]:
    """The same of a simulation."""
    heard = sources.candidates(flow, NOON, END)
    found: Counter[tuple[Any, ...]] = Counter()
    for wave in replay.turns(flow, heard, END, Gate(flow)):
        travellers = wave.walk.travellers
        for place in wave.is_admitted.nonzero()[0].tolist():
            found[int(travellers.contact[place]), "", moment(travellers.entered_at[place]), "entered"] += 1
        for passage in wave.walk.passages:
            columns = (passage.who, passage.way, passage.left_at)
            for who, way, left_at in zip(*(column.tolist() for column in columns), strict=True):
                if wave.is_admitted[who] and way != INSIDE:
                    names = list(passage.step.branches)
                    word = WORDS.get(way) or (names[way] if way >= 0 else _done(passage.step.type))
                    found[int(travellers.contact[who]), passage.step.id, moment(left_at), word] += 1
    return found


def _done(step_type: str) -> str:
    return "waited" if step_type in ("wait", "wait_for_time") else "done"


@pytest.fixture
def crowd(organization: Organization) -> list[int]:
    """Four people, and the events that workflows hear."""
    for name in EVENTS:
        people.definition(name, total="number")
    people.partitions.ensure_months([NOON, END])
    return [
        making.contact(email=f"p{number}@example.org", city=["Leeds", "York"][number % 2]).pk for number in range(4)
    ]


NINE = {"action_type": "wait_for_time", "configuration": {"time": "09:00", "weekdays": ["tue", "thu"]}}
SPANS = st.sampled_from([{"hours": 5}, {"days": 1}, {"days": 2}, {"minutes": 30}])
RULES = st.sampled_from([
    did("order"), did("order", within={"hours": 12}), did("visit", count=2, within={"days": 1}),
    did("order", where=[{"property": "total", "operator": "greater", "value": 50}]),
    {"event": "visit", "operator": "did_not", "within": {"hours": 6}},
    {"match": "all", "rules": [{"field": "city", "operator": "equals", "value": "Leeds"}, did("visit")]},
])  # fmt: skip


def _steps(template_id: int) -> st.SearchStrategy[list[dict[str, Any]]]:
    plain = st.sampled_from(
        [making.TAG, NINE, {"action_type": "send_email", "configuration": {"template_id": template_id}}, making.EXIT]
    )
    waiting = SPANS.map(lambda span: making.wait(**span))
    return st.recursive(
        st.lists(plain | waiting | waiting, min_size=1, max_size=3),
        lambda inner: st.tuples(
            st.sampled_from([_branch, _wait_until, _repeat, _split, _many]), RULES, inner, inner, inner
        ).map(lambda drawn: [drawn[0](*drawn[1:4]), *drawn[4]]),
        max_leaves=5,
    )


def _branch(rule: dict[str, Any], one: list[Any], other: list[Any]) -> dict[str, Any]:
    return making.branch(rule, one, other)


def _wait_until(rule: dict[str, Any], one: list[Any], other: list[Any]) -> dict[str, Any]:
    return {
        "action_type": "wait_until",
        "configuration": {"rule": rule, "timeout": {"hours": 30}},
        "branches": {"met": one, "timed_out": other},
    }


def _split(rule: dict[str, Any], one: list[Any], other: list[Any]) -> dict[str, Any]:
    ways = [{"name": "A", "weight": 40}, {"name": "B", "weight": 60}]
    return {"action_type": "random_split", "configuration": {"ways": ways}, "branches": {"A": one, "B": other}}


def _many(rule: dict[str, Any], one: list[Any], other: list[Any]) -> dict[str, Any]:
    ways = [{"name": "York", "rule": making.where("city", "York")}, {"name": "Met", "rule": rule}]
    branches = {"York": one, "Met": [], "otherwise": other}
    return {"action_type": "branch_many", "configuration": {"ways": ways}, "branches": branches}


def _repeat(rule: dict[str, Any], one: list[Any], other: list[Any]) -> dict[str, Any]:
    body = [making.wait(hours=7), *one]
    return {"action_type": "repeat", "configuration": {"until": rule, "most": 2}, "branches": {"body": body}}


ENTRIES = st.sampled_from([
    {"entry_rule": "once"}, {"entry_rule": "again"}, {"entry_rule": "again"},
    {"entry_rule": "after_days", "entry_days": 1},
    {"entry_rule": "concurrent", "entry_key": "event.properties.total"},
])  # fmt: skip
ENDINGS = st.fixed_dictionaries({"goal_rule": st.none() | RULES, "exit_rule": st.none() | RULES})


def _happenings(seed: int, people_ids: list[int]) -> list[tuple[timedelta, int, str, float]]:
    draw = random.Random(seed)
    moments = [timedelta(minutes=minute) for minute in draw.sample(range(1, 6 * 24 * 60), 16)]
    return [(after, draw.choice(people_ids), draw.choice(EVENTS), draw.choice([10, 90])) for after in moments]


def test_a_replay_says_what_the_engine_did(organization: Organization, crowd: list[int]) -> None:
    template_id = making.template().pk
    flows_drawn = st.tuples(_steps(template_id), ENTRIES, ENDINGS, st.integers(0, 1000))

    @settings(max_examples=CASES, deadline=None, database=None, derandomize=True, phases=[Phase.generate])
    @given(drawn=flows_drawn)
    def agree(drawn: tuple[list[dict[str, Any]], dict[str, Any], dict[str, Any], int]) -> None:
        steps, entry, endings, seed = drawn
        with rolled_back():
            with clock.freeze(NOON):
                trigger = {"name": "signup", "filter": did("visit", operator="did_at_most", count=3)}
                automation = making.automation(
                    *steps, trigger_type="event", trigger_configuration=trigger, **entry, **endings
                )
            play(_happenings(seed, crowd))
            flow = flows.read(automation.current_version.document, automation)
            told, live = replayed(flow), lived(automation)
            assert (told - live, live - told) == (Counter(), Counter()), automation.current_version.document
            with clock.freeze(END):
                counts = replay.replay(flow, NOON, END)
            assert counts["entries"] == AutomationRun.objects.count()
            assert counts["messages"]["planned"] == Message.objects.count()

    agree()
