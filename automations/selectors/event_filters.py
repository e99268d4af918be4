"""Which events meet the property filters of triggers: the segment rules' own operators, on the event's row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import connection

from automations.triggers.base import Happening
from automations.triggers.event import Configuration, as_rule
from common import clock, tenancy
from segments.rules import catalogue, parser
from segments.rules.operands import of_property
from segments.rules.operators import OPERATORS
from segments.rules.parameters import Parameters
from segments.rules.tree import EventRule

# Columns of one statement; PostgreSQL allows 1,664.
BLOCK = 200


def fitting(wanted: Mapping[int, Configuration], happenings: Sequence[Happening]) -> dict[int, set[str]]:
    """Per automation the causes of those event happenings whose properties fit its `where`."""
    events = {happening.facts["event"]["id"]: happening for happening in happenings if "event" in happening.facts}
    found: dict[int, set[str]] = {automation_id: set() for automation_id in wanted}
    if not wanted or not events:
        return found
    known = catalogue.load()
    automation_ids = sorted(wanted)
    for start in range(0, len(automation_ids), BLOCK):
        block = automation_ids[start : start + BLOCK]
        parameters = Parameters(now=clock.now())
        truths = [_truth(wanted[automation_id], known, parameters) for automation_id in block]
        for event_id, *answers in _ask(truths, events, parameters):
            for automation_id, is_true in zip(block, answers, strict=True):
                if is_true:
                    found[automation_id].add(events[event_id].cause)
    return found


def _truth(configuration: Configuration, known: catalogue.Catalogue, parameters: Parameters) -> str:
    rule = parser.parse(as_rule(configuration), known, is_stored=True)
    assert isinstance(rule, EventRule)
    return " AND ".join(
        OPERATORS[item.operator].truth(of_property(item.property, item.kind, parameters), item.value, parameters)
        for item in rule.where
    )


def _ask(truths: list[str], events: Mapping[int, Happening], parameters: Parameters) -> list[tuple[int, ...]]:
    """Plan: one probe of the primary key per event; `happened_at` prunes the partitions."""
    moments = [datetime.fromisoformat(event.facts["event"]["happened_at"]) for event in events.values()]
    parameters.values |= {
        "organization": tenancy.required(),
        "events": sorted(events),
        "first": min(moments),
        "last": max(moments),
    }
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(
            f"SELECT event.id, {', '.join(truths)} FROM audience_event AS event"
            " WHERE event.organization_id = %(organization)s AND event.id = ANY(%(events)s)"
            "   AND event.happened_at BETWEEN %(first)s AND %(last)s",
            parameters.values,
        )
        return list(cursor.fetchall())
