"""What decided a condition for one contact: the value it looked at, or the latest events it counted.

The truth never comes from here (see `explain`). A kind of condition without a row in EVIDENCE is explained by its
words and its verdict alone; to show more, give it a row.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from audience.models import Contact
from common import tenancy
from segments.rules import windows
from segments.rules.catalogue import label
from segments.rules.operands import of_property
from segments.rules.operators import NOW, OPERATORS
from segments.rules.parameters import Parameters
from segments.rules.remembered import Was
from segments.rules.scene import Evidence, Found, Happened, Scene, Source, sentence_case, shown, value_of
from segments.rules.testimony import TESTIMONY
from segments.rules.tree import AttributeRule, EventRule, Kind, Leaf, Rule, leaves

MOST_EVENTS = 5
# What behaviours about a property compare, and its words.
MEASURES = {
    "sum": "sum({number})",
    "average": "avg({number})",
    "smallest": "min({number})",
    "largest": "max({number})",
    "distinct": "count(DISTINCT {value}) FILTER (WHERE {presence})",
}
MEASURED = {
    "sum": "the sum of {name}",
    "average": "the average {name}",
    "smallest": "the smallest {name}",
    "largest": "the largest {name}",
    "distinct": "the number of different {name}",
}


def gather(rule: Rule, contact_id: int, now: datetime, was: Was | None = None) -> dict[Leaf, Evidence]:
    """The evidence of every condition that has a hook; of fields as they are, or as they `was`."""
    conditions = list(dict.fromkeys(leaves(rule)))
    scene = Scene(Contact.objects.get(pk=contact_id), now)
    if was is not None:
        was.over(scene.contact)
    events = [leaf for leaf in conditions if isinstance(leaf, EventRule)]
    sources = {source for leaf in events for source in sources_of(leaf)}
    scene.events = _events(sorted(sources, key=repr), contact_id, now)
    return {leaf: EVIDENCE[type(leaf)](leaf, scene) for leaf in conditions if type(leaf) in EVIDENCE}


def sources_of(leaf: EventRule) -> list[Source]:
    """The events a condition reads that somebody has sent: its own, and what must follow."""
    sources = []
    for part in (leaf, leaf.then):
        if part is not None and part.definition_id is not None:
            sources.append(Source(part.event, part.definition_id, part.where, leaf.within))
    return sources


def _events(sources: list[Source], contact_id: int, now: datetime) -> dict[Source, Found]:
    """What each source holds. Plan: event_by_contact, once per source."""
    if not sources:
        return {}
    parameters = Parameters(organization=tenancy.required(), now=now, contact=contact_id)
    branches = [_branch(number, source, parameters) for number, source in enumerate(sources)]
    with tenancy.engine(), connection.cursor() as cursor:
        sql = f"SELECT * FROM ({' UNION ALL '.join(branches)}) found ORDER BY 1, 5 DESC, 4 DESC"
        cursor.execute(sql, parameters.values)
        rows = cursor.fetchall()
    found: dict[Source, Found] = {}
    for number, total, inside, event_id, happened_at, properties, is_inside in rows:
        source = sources[number]
        event = Happened(event_id, source.event, happened_at, json.loads(properties), is_inside)
        found[source] = Found(total, inside, (*found.get(source, Found()).latest, event))
    return found


def _branch(number: int, source: Source, parameters: Parameters) -> str:
    """The latest events of a source; `is_inside` is NULL without a window."""
    is_inside = " AND ".join(windows.inside(source.within, parameters)) or "NULL::boolean"
    return f"""(SELECT {number} AS number, count(*) OVER () AS total,
    count(*) FILTER (WHERE {is_inside}) OVER () AS inside, event.id, event.happened_at, event.properties,
    {is_inside} AS is_inside
  FROM audience_event event WHERE {_matching(source, parameters)}
  ORDER BY event.happened_at DESC, event.id DESC LIMIT {MOST_EVENTS})"""


def _matching(source: Source, parameters: Parameters) -> str:
    """The contact's events of a source up to now."""
    conditions = [
        "event.organization_id = %(organization)s AND event.contact_id = %(contact)s",
        f"event.definition_id = {parameters.bind(source.definition_id, 'bigint')} AND event.happened_at <= {NOW}",
    ]
    for item in source.where:
        operand = of_property(item.property, item.kind, parameters)
        conditions.append(OPERATORS[item.operator].truth(operand, item.value, parameters))
    return " AND ".join(conditions)


def _measured(leaf: EventRule, source: Source, scene: Scene) -> Decimal | int | None:
    """What a condition on a property compares, over the events in its window; None: nothing to measure."""
    parameters = Parameters(organization=tenancy.required(), now=scene.now, contact=scene.contact.pk)
    number = of_property(leaf.property, Kind.NUMBER, parameters).sql
    document = of_property(leaf.property, Kind.OBJECT, parameters)
    measure = MEASURES[leaf.operator].format(number=number, value=document.sql, presence=document.presence)
    conditions = [_matching(source, parameters), *windows.inside(source.within, parameters)]
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {measure} FROM audience_event event WHERE {' AND '.join(conditions)}", parameters.values
        )
        found: Decimal | int | None = cursor.fetchone()[0]
    return found


# --- hooks -------------------------------------------------------------------------------------------


def _of_field(leaf: AttributeRule, scene: Scene) -> Evidence:
    name = label(leaf.field)
    value = value_of(scene.contact, leaf.field)
    if value in (None, "", [], {}):
        return Evidence(f"{sentence_case(name)} is not set")
    return Evidence(f"{sentence_case(name)} is {shown(value)}", value)


def _of_events(leaf: EventRule, scene: Scene) -> Evidence:
    """How often, how often in the window, and when last."""
    sources = sources_of(leaf)
    found = [scene.events.get(source, Found()) for source in sources]
    latest = sorted((event for part in found for event in part.latest), key=_moment, reverse=True)[:MOST_EVENTS]
    total, inside = sum(part.total for part in found), sum(part.inside for part in found)
    has_window = leaf.within is not None
    filtered = " with these properties" if leaf.where else ""
    names = " or ".join(dict.fromkeys(source.event for source in sources)) or leaf.event
    if not total:
        return Evidence(f"{names} never happened{filtered}", total=0, inside=0 if has_window else None)
    windowed = f", {_times(inside)} in this window" if has_window else ""
    text = f"{names} happened {_times(total)}{filtered}{windowed}"
    value = None
    if leaf.operator in MEASURES:
        value = _measured(leaf, sources[0], scene)
        text = f"{text}; {MEASURED[leaf.operator].format(name=leaf.property)} is {shown(value or 0)}"
    return Evidence(text, value, events=tuple(latest), total=total, inside=inside if has_window else None)


def _moment(event: Happened) -> tuple[datetime, int]:
    return event.happened_at, event.event_id


def _times(count: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(count, f"{count:,} times")


EVIDENCE: dict[type, Callable[[Any, Scene], Evidence]] = {
    AttributeRule: _of_field,
    EventRule: _of_events,
    **TESTIMONY,
}
