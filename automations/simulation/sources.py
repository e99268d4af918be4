"""Who might have entered when: what a trigger would have heard in the past, as columns, in one streaming pass."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import connection

from automations import local_times
from automations.selectors import anniversaries
from automations.simulation.candidates import Candidates, Unreplayable, listed, nobody
from automations.simulation.flow import Flow
from automations.simulation.records import recorded
from automations.triggers import TRIGGERS, lead_created, schedule
from common import columns, tenancy
from common.later import later
from common.moments import micros
from segments.rules import catalogue, parser
from segments.rules.parameters import Parameters
from segments.rules.streams import filters
from segments.rules.tree import EventRule

if TYPE_CHECKING:
    import numpy as np

else:
    np = later("numpy")

# Plan: a range of event_by_definition; only contact, moment and id are read unless the trigger asks for properties.
EVENTS_SQL = """
SELECT event.contact_id, event.happened_at, event.id, {key},
       (event.received_at > event.happened_at + %(young)s::interval)::int::bigint AS is_late
  FROM audience_event AS event
 WHERE event.organization_id = %(organization)s AND event.definition_id = %(definition)s
   AND event.happened_at >= %(since)s AND event.happened_at < %(until)s{where}
"""
CREATED_SQL = """
SELECT contact.id, contact.created_at, 0::bigint, 0::bigint, 0::bigint FROM audience_contact AS contact
 WHERE contact.organization_id = %(organization)s AND contact.merged_into_id IS NULL
   AND contact.created_at >= %(since)s AND contact.created_at < %(until)s
"""
# Plan: a range of memberships_entered or memberships_left.
MOVED_SQL = """
SELECT stay.contact_id, stay.{moment}, 0::bigint, 0::bigint, 0::bigint
  FROM segments_membership AS stay JOIN audience_contact AS contact ON contact.id = stay.contact_id
 WHERE stay.organization_id = %(organization)s AND stay.segment_id = %(segment)s
   AND stay.{moment} >= %(since)s AND stay.{moment} < %(until)s
"""
EVERYBODY_SQL = """
SELECT id FROM audience_contact WHERE organization_id = %s AND merged_into_id IS NULL ORDER BY id
"""
MOST_HEARD = 5_000_000
# What each of the statements above finds; `event` puts those of one moment in their order.
COLUMNS = {"contact": columns.NUMBER, "at": columns.MOMENT, "event": columns.NUMBER, "key": columns.NUMBER,
           "late": columns.NUMBER}  # fmt: skip
WITHIN_HOURS = 24  # of triggers that have no such field


def candidates(flow: Flow, since: datetime, until: datetime) -> Candidates:
    """Everything from `since` until `until` that the trigger of a flow hears. Raises `Unreplayable`."""
    key, settings = flow.trigger_key, flow.trigger_settings
    values: dict[str, Any] = {"organization": tenancy.required(), "since": since, "until": until}
    if key.startswith("event:"):
        return _events(flow, values)
    if key == lead_created.KEY:
        return _read(CREATED_SQL, values)
    if found := re.fullmatch(r"segment_(entered|exited):(\d+)", key):
        moment = "entered_at" if found[1] == "entered" else "left_at"
        return _read(MOVED_SQL.format(moment=moment), values | {"segment": int(found[2])})
    if hasattr(settings, "anniversary"):
        return _dates(settings, since, until)
    if hasattr(settings, "cron"):
        return _turns(settings, since, until)
    return recorded(flow, since, until)


def _dates(settings: Any, since: datetime, until: datetime) -> Candidates:
    """Contacts whose date came, by the dates that are stored today."""
    found = anniversaries.due(settings.anniversary, since, until)
    zones = local_times.zones([one.contact_id for one in found])
    at = [
        micros(local_times.moment(date.fromisoformat(one.day), settings.anniversary.at, zones[one.contact_id]))
        for one in found
    ]
    return listed([one.contact_id for one in found], at)


def _turns(settings: Any, since: datetime, until: datetime) -> Candidates:
    """Everybody at each turn of the clock; the filter is asked as for every trigger."""
    ticking = schedule.TRIGGER.clock
    assert ticking is not None
    turns: list[int] = []
    turn = ticking.following(settings, since)
    while turn < until and len(turns) < MOST_HEARD:
        turns.append(micros(turn))
        turn = ticking.following(settings, turn)
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(EVERYBODY_SQL, [tenancy.required()])
        people = [row[0] for row in cursor.fetchall()]
    if len(turns) * len(people) > MOST_HEARD:
        raise Unreplayable(
            f"In this time it comes {len(turns):,} times for {len(people):,} people, which is too much to replay; "
            "choose fewer days."
        )
    return listed(np.repeat(people, len(turns)), np.tile(np.array(turns, dtype=np.int64), len(people)))


def _events(flow: Flow, values: dict[str, Any]) -> Candidates:
    settings, name = flow.trigger_settings, flow.trigger_key.removeprefix("event:")
    where = TRIGGERS.find(flow.document["trigger"]["type"]).where(settings)
    rule = parser.parse({"event": name, "operator": "did", "where": where}, catalogue.load(), is_stored=True)
    assert isinstance(rule, EventRule)
    if rule.definition_id is None:
        return nobody()
    parameters = Parameters(**values, now=values["until"])
    where_sql = "".join(f" AND {condition}" for condition in filters(rule.where, parameters))
    young = timedelta(hours=getattr(settings, "within_hours", WITHIN_HOURS))
    parameters.values |= {"definition": rule.definition_id, "young": young}
    key = _key_sql(flow.entry_key, parameters)
    return _read(EVENTS_SQL.format(where=where_sql, key=key), parameters.values)


def _key_sql(concurrent_by: str, parameters: Parameters) -> str:
    """A number that is the same for equal keys; 0 where there is none."""
    place = concurrent_by.split(".")
    if place[:2] != ["event", "properties"]:
        return "0::bigint"
    path = parameters.bind(place[2:], "text[]")
    return f"coalesce(hashtextextended(event.properties #>> {path}, 0), 0)"


def _read(statement: str, values: dict[str, Any]) -> Candidates:
    """The rows as columns, by contact and moment."""
    with tenancy.engine(), connection.cursor() as cursor:
        found = columns.read(cursor, statement, values, **COLUMNS)
    contact, at, _, key, late = found[:, np.lexsort((found[2], found[1], found[0]))]
    return Candidates(contact, at, key, int(late.sum()))
