"""One contact walked through a workflow: what would happen step by step, and why. Nothing is written.

"What if" is answered by letting things be so: a branch is taken because somebody says so, and an event that somebody
imagines is put among the contact's own inside a transaction that is taken back, so that every rule sees it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from msgspec import json

from audience.models import Contact, EventDefinition
from audience.services import partitions
from automations.domain import tree
from automations.domain.tree import Step
from automations.selectors import step_sentence
from automations.simulation import asking, judges
from automations.simulation.admitting import Wave
from automations.simulation.flow import Flow, rules_of
from automations.simulation.messages import Judged, MessageTally, Post, Template
from automations.simulation.tally import Days
from automations.simulation.walker import (
    EXIT_RULE,
    GOAL,
    INSIDE,
    ON,
    OUT,
    Crowd,
    Judge,
    Moved,
    Passage,
    Travellers,
    Walk,
)
from common import tenancy
from common.errors import Invalid
from common.later import later
from common.moments import NEVER, micros, moment
from segments import rules
from segments.past import Past
from segments.rules import explain as explaining
from segments.rules.explain import Node

if TYPE_CHECKING:
    import numpy as np
else:
    np = later("numpy")

LONGEST = timedelta(days=5 * 366)
MOST_STOPS = 200
DAY = timedelta(days=1)
WENT = {ON: "goes on", OUT: "leaves the workflow", GOAL: "has reached the goal and leaves", INSIDE: "stays here",
        EXIT_RULE: "meets the exit rule and leaves"}  # fmt: skip

IMAGINE_SQL = """
INSERT INTO audience_event (organization_id, contact_id, definition_id, message_key, happened_at, received_at,
                            properties, context)
VALUES (%(organization)s, %(contact)s, %(definition)s, %(key)s, %(at)s, %(at)s, %(properties)s::jsonb, '{}')
"""


@dataclass(frozen=True)
class Imagined:
    """An event that is let come."""

    name: str
    at: datetime
    properties: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Stop:
    """One step on the way: when the contact came and left (None: it would still be there), what was done, and for
    rules why. `is_forced`: it went this way because somebody said so. `message`: what would be written."""

    step: Step
    at: datetime
    left_at: datetime | None
    sentence: str
    way: str
    branch: str = ""
    is_forced: bool = False
    reasons: tuple[tuple[str, Node], ...] = ()
    template: Template | None = None
    message: Judged | None = None


@dataclass(frozen=True)
class Journey:
    """Everything that would happen. `enters` is empty when nothing keeps the contact out, else a sentence."""

    contact: Contact
    at: datetime
    stops: tuple[Stop, ...]
    outcome: str
    ended_at: datetime | None
    keeps_out: str = ""
    filter: Node | None = None
    goal_at: datetime | None = None


def walk(
    flow: Flow,
    contact: Contact,
    at: datetime,
    *,
    answers: Mapping[str, str] | None = None,
    events: tuple[Imagined, ...] = (),
) -> Journey:
    """What would happen to a contact who entered at `at`; `answers` are branches by step id that are taken whatever
    the rules say. Raises `Invalid` for a branch that the step does not have or an event that nobody ever sent."""
    answers = answers or {}
    _check(flow, answers)
    with _imagined(contact, events):
        travellers = Travellers(*(np.array([value], dtype=np.int64) for value in (contact.pk, micros(at))))
        past = Past([contact.pk], at)
        until = micros(at + LONGEST)
        goal_at, exit_at = (_reached(rule, travellers, until, past) for rule in (flow.goal, flow.exit))
        made = Walk(
            flow, travellers, until, past, lambda kind: _forced(judges.judge(kind), answers), goal_at, exit_at
        )
        made.run()
        stops = tuple(_stops(made, contact, answers, flow, at))
        why = _why(flow.trigger_settings.filter, contact, at)
    ended = int(made.ended_at[0])
    outcome = int(made.outcome[0])
    return Journey(
        contact,
        at,
        stops,
        "comes to the end" if outcome == ON else WENT[outcome],
        None if ended >= NEVER else moment(ended),
        "The filter of the trigger does not let this contact in." if why is not None and not why.is_true else "",
        why,
        None if goal_at[0] >= NEVER else moment(goal_at[0]),
    )


def _check(flow: Flow, answers: Mapping[str, str]) -> None:
    steps = {step.id: step for step in tree.walk(flow.steps)}
    wrong = {
        f"answers.{step_id}": "there is no such branch"
        for step_id, branch in answers.items()
        if step_id not in steps or branch not in steps[step_id].branches
    }
    if wrong:
        raise Invalid("Some answers name no branch of this workflow.", details=wrong)


def _reached(rule: Any, travellers: Travellers, until: int, past: Past) -> Any:
    if rule is None:
        return np.full(1, NEVER, dtype=np.int64)
    ends = np.full(1, until, dtype=np.int64)
    return asking.first_truths(past, rule, travellers.contact, travellers.entered_at, ends)


def _forced(judge: Judge, answers: Mapping[str, str]) -> Judge:
    """The judge of a kind of step, but for steps that somebody answered: there they leave as they came."""

    def answered(settings: Any, step: Step, crowd: Crowd) -> Moved:
        if step.id not in answers:
            return judge(settings, step, crowd)
        place = list(step.branches).index(answers[step.id])
        return Moved(np.full(len(crowd.at), place, dtype=np.int16), crowd.at.copy())

    return answered


@contextmanager
def _imagined(contact: Contact, events: tuple[Imagined, ...]) -> Iterator[None]:
    """Lets events have come; nothing of it stays."""
    if not events:
        yield
        return
    known = dict(EventDefinition.objects.filter(name__in={each.name for each in events}).values_list("name", "pk"))
    if missing := sorted({each.name for each in events} - known.keys()):
        raise Invalid(f"Nobody ever sent the event “{missing[0]}”.", details={"event": "is not known here"})
    with transaction.atomic():
        partitions.ensure_months([each.at for each in events])
        with tenancy.engine(), connection.cursor() as cursor:
            for each in events:
                cursor.execute(
                    IMAGINE_SQL,
                    {
                        "organization": tenancy.required(), "contact": contact.pk, "definition": known[each.name],
                        "key": uuid.uuid4(), "at": each.at, "properties": json.encode(each.properties).decode(),
                    },
                )  # fmt: skip
        yield
        transaction.set_rollback(True)


def _stops(made: Walk, contact: Contact, answers: Mapping[str, str], flow: Flow, at: datetime) -> Iterator[Stop]:
    messages = _messages(made, flow, at)
    for passage in made.passages[:MOST_STOPS]:
        step, came, left = passage.step, moment(passage.at[0]), int(passage.left_at[0])
        way = int(passage.way[0])
        branch = list(step.branches)[way] if way >= 0 else ""
        sends = way not in (GOAL, EXIT_RULE)
        yield Stop(
            step,
            came,
            None if left >= NEVER else moment(left),
            step_sentence(step),
            f"goes the way “{branch}”" if branch else WENT[way],
            branch,
            step.id in answers and way >= 0,
            tuple(_reasons(passage, contact)),
            messages.templates.get(step.id) if sends else None,
            messages.by_place.get((step.id, int(passage.at[0]))) if sends else None,
        )


def _messages(made: Walk, flow: Flow, at: datetime) -> Post:
    last = moment(max([micros(at), *(int(passage.at[0]) for passage in made.passages)]))
    post = Post(flow, at, last, MessageTally(Days(at, at + DAY, ZoneInfo("UTC"))), remembers=True)
    post.judge([Wave(made, np.ones(1, dtype=np.bool_))])
    return post


def _reasons(passage: Passage, contact: Contact) -> Iterator[tuple[str, Node]]:
    """Why each rule of the step says what it says, at the moment at which the contact leaves it."""
    asked_at = passage.left_at[0] if passage.left_at[0] < NEVER else passage.at[0]
    for words, rule in rules_of(passage.step):
        found = _why(rule, contact, moment(asked_at))
        if found is not None:
            yield words, found


def _why(rule: Any, contact: Contact, at: datetime) -> Node | None:
    if not isinstance(rule, dict):
        return None
    return explaining.explain(rules.parse_stored(rule), contact.pk, at, is_past=True)
