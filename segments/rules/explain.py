"""Why a contact matches a rule or not: a verdict for every node of the tree, by the one compiler.

Every node, group or condition, is handed to `compiler.few` as a rule of its own, all in one statement, so what is
explained is what is evaluated: a new operator or behaviour is explained without a line here. What decided a
condition (`segments.rules.evidence`) is looked up beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from common import tenancy
from segments.rules import compiler, evidence, sentences
from segments.rules.remembered import Was
from segments.rules.scene import Evidence
from segments.rules.tree import Group, Rule

GROUP_WORDS = {
    "all": "All of these are true",
    "any": "At least one of these is true",
    "none": "None of these is true",
    "at_least": "At least {count} of these are true",
}
ROOT = "rule"


@dataclass(frozen=True)
class Node:
    """One node of a rule and what it says about one contact.

    `path` is its place as the parser writes it, `rule` for the whole. Before `flips_at` time alone changes
    nothing; None: never. `match` is empty for a condition, `evidence` None for a group.
    """

    path: str
    words: str
    is_true: bool
    flips_at: datetime | None
    match: str = ""
    evidence: Evidence | None = None
    children: tuple[Node, ...] = ()


def explain(
    rule: Rule, contact_id: int, now: datetime, *, is_past: bool = False, was: Was | None = None
) -> Node | None:
    """The whole tree, node by node, or None when the contact is gone.

    With `is_past` as far as the past is kept (`compiler.past`); what people are is as it is today, or as
    `was` says.

    Plan: one statement for all verdicts (probes of event_by_contact shared between nodes), one for all events.
    """
    verdicts = _verdicts(rule, contact_id, now, is_past=is_past, was=was)
    if verdicts is None:
        return None
    found = evidence.gather(rule, contact_id, now, was)

    def node(part: Rule, path: str) -> Node:
        is_true, flips_at = verdicts[part]
        if not isinstance(part, Group):
            words = sentences.leaf_phrase(part)
            return Node(path or ROOT, words, is_true, flips_at, evidence=found.get(part))
        children = tuple(node(child, at(path, place)) for place, child in enumerate(part.rules))
        return Node(path or ROOT, group_words(part), is_true, flips_at, part.match.value, children=children)

    return node(rule, "")


def at(path: str, place: int) -> str:
    """The place of a child, as the parser writes it."""
    return f"{path}.rules[{place}]" if path else f"rules[{place}]"


def group_words(group: Group) -> str:
    """What a group asks of its children."""
    return GROUP_WORDS[group.match.value].format(count=group.count)


def parts(rule: Rule) -> Iterator[Rule]:
    """The rule and everything in it, a group before its children."""
    yield rule
    if isinstance(rule, Group):
        for child in rule.rules:
            yield from parts(child)


def _verdicts(
    rule: Rule, contact_id: int, now: datetime, *, is_past: bool, was: Was | None
) -> dict[Rule, tuple[bool, datetime | None]] | None:
    """Truth and flips_at of every different node; equal ones share an answer."""
    numbered = dict(enumerate(dict.fromkeys(parts(rule))))
    if is_past:
        query = compiler.past(numbered, [contact_id], [now], tenancy.required(), was)
    else:
        query = compiler.few(numbered, list(numbered), [contact_id] * len(numbered), tenancy.required(), now)
    with transaction.atomic(), tenancy.engine(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL jit = off")  # compiling the plan would take longer than running it
        cursor.execute(f"{query.sql} SELECT segment_id, truth, flips_at FROM evaluated", query.parameters)
        rows = cursor.fetchall()
    return {numbered[number]: (truth, flips_at) for number, truth, flips_at in rows} or None
