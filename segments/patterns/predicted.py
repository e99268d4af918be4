"""Suggestions from what models expect: who is in the highest band, also among the best customers.

Each is told with its size and, where predictions are old enough, with what was observed since: the people in the band
`HORIZON_DAYS` ago against the others who had the prediction then, by who reached the goal afterwards. Who belonged to
the best customers is looked up as of then, too, so that nobody is compared by what came later.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from audience.models import PredictionDefinition
from common import clock, tenancy
from segments.domain import statistics
from segments.domain.statistics import Table
from segments.models import AnalysisKind, Finding
from segments.patterns import leaves
from segments.patterns.contrasts import CONVERTED_NEEDED, PEOPLE_NEEDED, SUPPORT_NEEDED
from segments.patterns.found import Found, Missing, Outcome, key_of, times
from segments.patterns.meaning import Meaning
from segments.rules import compiler, parser
from segments.rules.catalogue import Catalogue

GROUP = "From predictions"
HORIZON_DAYS = 7
# Ready patterns to look into, by key, with their words.
AMONG = {"high-spender": "high spenders", "frequent-shopper": "frequent shoppers"}

COUNT_SQL = """
SELECT count(*), count(*) FILTER (WHERE band = 'high'), min(made_at)
FROM audience_contactprediction WHERE organization_id = %(organization)s AND name = %(name)s
  AND valid_until > %(now)s"""
# Plan: one pass over the rows of the name, and per row a probe of event_by_contact over a week.
OUTCOME_SQL = """
SELECT band = 'high', count(*), count(*) FILTER (WHERE EXISTS (
  SELECT 1 FROM audience_event event WHERE event.organization_id = %(organization)s
    AND event.contact_id = stored.contact_id AND event.definition_id = %(goal)s
    AND event.happened_at > %(cut)s AND event.happened_at <= %(until)s))
FROM audience_contactprediction stored
WHERE stored.organization_id = %(organization)s AND stored.name = %(name)s
  AND stored.made_at <= %(cut)s AND stored.valid_until > %(cut)s {among}
GROUP BY 1"""


@dataclass(frozen=True)
class _Question:
    """A band of a prediction, among everybody or among those of a ready pattern."""

    definition: PredictionDefinition
    words: str = ""
    key: str = ""
    rule: dict[str, Any] | None = None


def find(said: Meaning, known: Catalogue) -> list[Outcome]:
    """What is worth a segment by what is predicted; says how much is missing. Inside a transaction."""
    definitions = list(PredictionDefinition.objects.order_by("label", "name"))
    if not definitions:
        sentence = "No model has said anything yet: define a prediction and send scores to /api/v1/predictions/."
        return [Missing("predictions", GROUP, GROUP, sentence)]
    ready = Finding.objects.filter(analysis__kind=AnalysisKind.PATTERNS, key__in=AMONG).exclude(rule=None)
    rules = dict(ready.values_list("key", "rule"))
    found: list[Outcome] = []
    for definition in definitions:
        questions = [_Question(definition)]
        questions += [_Question(definition, words, key, rules[key]) for key, words in AMONG.items() if key in rules]
        found += _answers(definition, questions, said, known)
    return found


def _answers(
    definition: PredictionDefinition, questions: list[_Question], said: Meaning, known: Catalogue
) -> list[Outcome]:
    now = clock.now()
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(COUNT_SQL, {"organization": tenancy.required(), "name": definition.name, "now": now})
        people, high, oldest = cursor.fetchone()
    if people < PEOPLE_NEEDED:
        sentence = f"“{definition.label}” holds for {people:,} people; a suggestion needs {PEOPLE_NEEDED}."
        return [Missing(f"predicted-{definition.name}", GROUP, definition.label, sentence)]
    return [_answer(question, people, high, oldest, said, known) for question in questions]


def _answer(
    question: _Question, people: int, high: int, oldest: datetime, said: Meaning, known: Catalogue
) -> Outcome:
    label = question.definition.label
    band = {"prediction": question.definition.name, "operator": "band", "value": ["high"]}
    rule = leaves.every(band) if question.rule is None else leaves.every(band, question.rule)
    among = f" among {question.words}" if question.words else ""
    reason = (
        f"“{label}” holds for {people:,} people; {high:,} of them are in the high band, from "
        f"{question.definition.high_from.normalize():,f} on.{among and f' Here are those{among}.'}"
    )
    told, evidence = _observed(question, oldest, said, known)
    key = key_of("predicted", f"{question.definition.name}{question.key and f'-{question.key}'}")
    return Found(key, GROUP, f"{label}: high{among}"[:200], f"{reason} {told}", rule, evidence)


def _observed(question: _Question, oldest: datetime, said: Meaning, known: Catalogue) -> tuple[str, dict[str, Any]]:
    """What happened since, in words and figures; only words where too little is known."""
    goal = known.events.get(said.goal_event)
    if goal is None:
        return "Name the goal in the settings to see what they did since.", {}
    now = clock.now()
    cut = now - timedelta(days=HORIZON_DAYS)
    if oldest > cut:
        return f"What they did since is compared once predictions are {HORIZON_DAYS} days old.", {}
    values: dict[str, Any] = {"name": question.definition.name, "goal": goal.definition_id, "cut": cut, "until": now}
    among = ""
    if question.rule is not None:
        query = compiler.everybody(parser.parse(question.rule, known, is_stored=True), tenancy.required(), cut)
        among = f"AND stored.contact_id IN (SELECT contact_id FROM ({query.sql}) verdict WHERE truth)"
        values = query.parameters | values  # the rule's `now` is the cut
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(OUTCOME_SQL.format(among=among), values | {"organization": tenancy.required()})
        counts = {is_high: (count, reached) for is_high, count, reached in cursor.fetchall()}
    table = Table(*counts.get(True, (0, 0)), *counts.get(False, (0, 0)))
    if min(table.with_count, table.without_count) < SUPPORT_NEEDED or _reached(table) < CONVERTED_NEEDED:
        return (
            f"{HORIZON_DAYS} days ago it held for {table.with_count:,} in the band and {table.without_count:,} "
            f"others, and {_reached(table):,} of them did “{said.goal_event}” since: too few to compare.",
            {},
        )
    lift = statistics.risk_ratio(table)
    words = (
        f"Of {table.with_count:,} in the band {HORIZON_DAYS} days ago {100 * table.with_rate:.1f} % did "
        f"“{said.goal_event}” since, of the {table.without_count:,} others{_of(question)} "
        f"{100 * table.without_rate:.1f} %: {times(lift.value)} times as often (95 % sure of {times(lift.low)} to "
        f"{times(lift.high)})."
    )
    figures = {"lift": round(lift.value, 4), "low": round(lift.low, 4), "high": round(lift.high, 4),
               "with": table.with_count, "with_converted": table.with_converted,
               "without": table.without_count, "without_converted": table.without_converted}  # fmt: skip
    return words, figures


def _reached(table: Table) -> int:
    return table.with_converted + table.without_converted


def _of(question: _Question) -> str:
    return f" among {question.words}" if question.words else ""
