"""What sets those apart who reached the goal: every single condition of the catalogue, compared with its absence.

What is compared lay before: people known `GOAL_DAYS` ago, by what was said of them and what they did until then,
against who reached the goal since. The goal itself is no candidate. A value said later (or said again: nobody can
tell) leaves its contact out of that comparison on both sides.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from common import clock, tenancy
from segments.domain import statistics
from segments.domain.statistics import Interval, Table
from segments.patterns import leaves
from segments.patterns.found import Found, Missing, Outcome, key_of, times
from segments.patterns.meaning import OURS, Meaning
from segments.rules.catalogue import CUSTOM, Catalogue, label
from segments.rules.operands import of_document
from segments.rules.parameters import Parameters
from segments.rules.tree import Kind

GROUP = "What sets them apart"
GOAL_DAYS = 30
PEOPLE_NEEDED = 200
CONVERTERS_NEEDED = 30
SUPPORT_NEEDED = 30  # people with the condition, and as many without
CONVERTED_NEEDED = 5
MOST_FALSE = 0.05  # share of false finds (Benjamini & Hochberg)
MOST_SHOWN = 12
MOST_CANDIDATES = 500
COUNTS = (1, 2, 3, 5, 10)
FIELDS = ("city", "region", "country", "source", "locale", "timezone", "status", "priority")

PERSON_SQL = """
CREATE TEMPORARY TABLE person ON COMMIT DROP AS
SELECT contact.id, EXISTS (
         SELECT 1 FROM audience_event event WHERE event.organization_id = %(organization)s
           AND event.contact_id = contact.id AND event.definition_id = %(goal)s
           AND event.happened_at > %(cut)s AND event.happened_at <= %(now)s) AS converted
FROM audience_contact contact
WHERE contact.organization_id = %(organization)s AND contact.merged_into_id IS NULL
  AND least(contact.first_seen_at, contact.created_at) <= %(cut)s"""
# Who has each value, and for how many the field was known then. One pass over the contacts for all fields.
VALUES_SQL = """
WITH said AS (
  SELECT pair.field, pair.value, person.converted
  FROM person JOIN audience_contact contact ON contact.id = person.id
  CROSS JOIN LATERAL (VALUES {pairs}) pair(field, value)
  WHERE coalesce((contact.trait_times ->> pair.field)::timestamptz, contact.traits_at, contact.created_at) <= %(cut)s
     OR coalesce(pair.value, '') = ''),
known AS (SELECT field, count(*) AS people, count(*) FILTER (WHERE converted) AS converters FROM said GROUP BY field)
SELECT field, value, count(*), count(*) FILTER (WHERE converted), known.people, known.converters
FROM said JOIN known USING (field) WHERE value <> ''
GROUP BY field, value, known.people, known.converters
HAVING count(*) >= %(support)s AND known.people - count(*) >= %(support)s
ORDER BY count(*) DESC, field, value LIMIT %(most)s"""
TAGS_SQL = """
SELECT tag, count(*), count(*) FILTER (WHERE converted)
FROM person JOIN audience_contact contact ON contact.id = person.id CROSS JOIN LATERAL unnest(contact.tags) tag
WHERE coalesce((contact.trait_times ->> 'tags')::timestamptz, contact.traits_at, contact.created_at) <= %(cut)s
GROUP BY tag HAVING count(*) >= %(support)s ORDER BY count(*) DESC, tag LIMIT %(most)s"""
# Plan: event_by_definition over the window before the cut; one row per contact and kind of event, then per count.
DONE_SQL = """
SELECT done.name, need, count(*), count(*) FILTER (WHERE converted)
FROM (SELECT definition.name, event.contact_id, count(*) AS times
      FROM audience_event event JOIN audience_eventdefinition definition ON definition.id = event.definition_id
      WHERE event.organization_id = %(organization)s AND event.definition_id <> %(goal)s
        AND definition.name <> ALL(%(ours)s::text[])
        AND event.happened_at > %(cut)s - %(days)s * interval '1 day' AND event.happened_at <= %(cut)s
      GROUP BY 1, 2) done
JOIN person ON person.id = done.contact_id CROSS JOIN unnest(%(counts)s::int[]) need
WHERE done.times >= need GROUP BY 1, 2 HAVING count(*) >= %(support)s ORDER BY 1, 2 LIMIT %(most)s"""


@dataclass(frozen=True)
class Candidate:
    """A single condition; of those about the same `subject` only the best is kept."""

    subject: str
    key: str
    title: str
    rule: dict[str, Any]
    table: Table


@dataclass(frozen=True)
class Compared:
    """What was found, and the figures it rests on."""

    outcomes: list[Outcome]
    summary: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class _Judged:
    candidate: Candidate
    lift: Interval
    rate: float


def compare(said: Meaning, known: Catalogue) -> Compared:
    """Conditions under which the goal is reached more often, the surest first; inside a transaction."""
    goal = known.events.get(said.goal_event)
    if goal is None:
        sentence = "Name the goal in the settings: the event by which people are compared."
        return Compared([Missing("contrasts", GROUP, GROUP, sentence)])
    now = clock.now()
    with tenancy.engine(), connection.cursor() as cursor:
        search = _Search(cursor, said, known, now, goal.definition_id)
        people, converters = search.count()
        summary = {"goal": said.goal_event, "goal_days": GOAL_DAYS, "people": people, "converters": converters}
        if problem := _too_few(said.goal_event, people, converters):
            return Compared([Missing("contrasts", GROUP, GROUP, problem)], summary)
        candidates = [*search.values(), *search.tags(), *search.behaviours()]
    found = _best(candidates)
    outcomes: list[Outcome] = [_told(judged, said) for judged in found]
    if not outcomes:
        sentence = f"None of {len(candidates):,} conditions sets those apart who did “{said.goal_event}”."
        outcomes = [Missing("contrasts", GROUP, GROUP, sentence)]
    return Compared(outcomes, summary | {"candidates": len(candidates), "kept": len(found)})


def _too_few(goal: str, people: int, converters: int) -> str:
    others = people - converters
    if people >= PEOPLE_NEEDED and min(converters, others) >= CONVERTERS_NEEDED:
        return ""
    return (
        f"{people:,} people were known {GOAL_DAYS} days ago; {converters:,} of them did “{goal}” since, {others:,} "
        f"did not. A comparison needs {PEOPLE_NEEDED} people, {CONVERTERS_NEEDED} on either side."
    )


class _Search:
    """The questions to the database about one goal."""

    def __init__(self, cursor: Any, said: Meaning, known: Catalogue, now: datetime, goal: int) -> None:
        self.cursor, self.said, self.known = cursor, said, known
        self.bound = {"organization": tenancy.required(), "goal": goal, "now": now, "days": said.window_days,
                      "cut": now - timedelta(days=GOAL_DAYS), "support": SUPPORT_NEEDED, "most": MOST_CANDIDATES,
                      "counts": list(COUNTS), "ours": list(OURS)}  # fmt: skip
        self.people = self.converters = 0

    def count(self) -> tuple[int, int]:
        """People known before the cut, and how many reached the goal after it."""
        self.cursor.execute("DROP TABLE IF EXISTS person")
        self.cursor.execute(PERSON_SQL, self.bound)
        self.cursor.execute("ANALYZE person")
        self.cursor.execute("SELECT count(*), count(*) FILTER (WHERE converted) FROM person")
        self.people, self.converters = self.cursor.fetchone()
        return self.people, self.converters

    def values(self) -> Iterable[Candidate]:
        """Values of text and yes/no fields."""
        parameters = Parameters(**self.bound)
        kinds = dict.fromkeys(FIELDS, Kind.TEXT)
        kinds |= {
            f"{CUSTOM}{name}": kind
            for name, kind in sorted(self.known.attributes.items())
            if kind in (Kind.TEXT, Kind.BOOLEAN)
        }
        pairs = ", ".join(f"({parameters.bind(name, 'text')}, {_text_of(name, parameters)})" for name in kinds)
        self.cursor.execute(VALUES_SQL.format(pairs=pairs), parameters.values)
        for name, value, count, converted, people, converters in self.cursor.fetchall():
            table = Table(count, converted, people - count, converters - converted)
            rule = leaves.on(name, "equals", value == "true" if kinds[name] is Kind.BOOLEAN else value)
            yield Candidate(f"{name}={value}", key_of(f"is-{name}", value), f"{label(name)} is {value}", rule, table)

    def tags(self) -> Iterable[Candidate]:
        """Tags that contacts had."""
        self.cursor.execute(TAGS_SQL, self.bound)
        for tag, count, converted in self.cursor.fetchall():
            rule = leaves.on("tags", "contains", tag)
            yield Candidate(f"tag={tag}", key_of("tag", tag), f"tagged {tag}", rule, self._against(count, converted))

    def behaviours(self) -> Iterable[Candidate]:
        """Events done so many times in the window before the cut."""
        self.cursor.execute(DONE_SQL, self.bound)
        for name, need, count, converted in self.cursor.fetchall():
            often = "" if need == 1 else f" {need} times"
            rule = leaves.did(name, need, self.said.window_days)
            title = f"did {name}{often}"
            yield Candidate(f"did {name}", key_of(f"did-{need}", name), title, rule, self._against(count, converted))

    def _against(self, count: int, converted: int) -> Table:
        return Table(count, converted, self.people - count, self.converters - converted)


def _text_of(name: str, parameters: Parameters) -> str:
    """A field as text. The names of columns are those of FIELDS."""
    if not name.startswith(CUSTOM):
        return f"contact.{name}"
    return f"({of_document('contact.attributes', name.removeprefix(CUSTOM), Kind.TEXT, parameters).sql})"


def _best(candidates: Sequence[Candidate]) -> list[_Judged]:
    """Sure lifts above one by the lower end of the interval: one per subject, and one of those with equal figures.

    Equal figures are the same people in other words (a country and its time zone).
    """
    fit = [item for item in candidates if _is_fit(item.table)]
    rates = statistics.false_discovery_rates([statistics.p_value(item.table) for item in fit])
    judged = [
        _Judged(item, lift, rate)
        for item, rate in zip(fit, rates, strict=True)
        if rate <= MOST_FALSE and (lift := statistics.risk_ratio(item.table)).low > 1
    ]
    judged.sort(key=lambda one: (-one.lift.low, one.candidate.key))
    by_subject: dict[str, _Judged] = {}
    for one in judged:
        by_subject.setdefault(one.candidate.subject, one)
    by_figures: dict[Table, _Judged] = {}
    for one in by_subject.values():
        by_figures.setdefault(one.candidate.table, one)
    return list(by_figures.values())[:MOST_SHOWN]


def _is_fit(table: Table) -> bool:
    return min(table.with_count, table.without_count) >= SUPPORT_NEEDED and table.with_converted >= CONVERTED_NEEDED


def _told(judged: _Judged, said: Meaning) -> Found:
    item, lift, table = judged.candidate, judged.lift, judged.candidate.table
    reason = (
        f"Of {table.with_count:,} people with it {GOAL_DAYS} days ago, {100 * table.with_rate:.1f} % did "
        f"“{said.goal_event}” since; of the {table.without_count:,} without it {100 * table.without_rate:.1f} %. "
        f"That is {times(lift.value)} times as often (95 % sure of {times(lift.low)} to {times(lift.high)}). "
        "A difference is not a cause: test it before you rely on it."
    )
    evidence = {"lift": round(lift.value, 4), "low": round(lift.low, 4), "high": round(lift.high, 4),
                "false_discovery_rate": round(judged.rate, 6), "with": table.with_count,
                "with_converted": table.with_converted, "without": table.without_count,
                "without_converted": table.without_converted}  # fmt: skip
    title = item.title if len(item.title) <= 120 else f"{item.title[:119]}…"
    return Found(item.key, GROUP, title[:1].upper() + title[1:], reason, item.rule, evidence)
