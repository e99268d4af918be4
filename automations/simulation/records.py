"""Triggers whose past stands elsewhere than among events: changes of contacts, and who was started by hand.

The audit log has what colleagues and apps changed one contact at a time, the ledger has every consent, and runs are
who really entered. What is on record is replayed and what is missing is said; where nothing is, a sentence says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec
from django.db import connection

from automations.simulation.candidates import Candidates, Unreplayable, listed
from automations.simulation.flow import Flow
from automations.triggers import TRIGGERS
from automations.triggers.base import Happening
from common import tenancy
from common.moments import micros
from segments.rules.catalogue import CUSTOM, STANDARD_FIELDS

ATTRIBUTE, CONSENT = "attribute:", "consent."
# Plan: the contacts' part of audit_by_object.
CHANGES_SQL = """
SELECT entry.object_id::bigint, entry.happened_at, jsonb_build_object(
           'attribute', %(attribute)s::text, 'before', entry.before #> %(path)s::text[],
           'after', entry.after #> %(path)s::text[])
  FROM accounts_auditentry AS entry
 WHERE entry.organization_id = %(organization)s AND entry.object_type = 'audience.contact'
   AND entry.action = 'change' AND entry.happened_at >= %(since)s AND entry.happened_at < %(until)s
   AND (entry.before #> %(path)s::text[]) IS DISTINCT FROM (entry.after #> %(path)s::text[])
"""
# Plan: the organisation's part of the ledger.
CONSENTS_SQL = """
SELECT entry.contact_id, entry.happened_at, jsonb_build_object(
           'attribute', %(attribute)s::text, 'before', NULL, 'after', entry.state)
  FROM audience_consent AS entry
 WHERE entry.organization_id = %(organization)s AND entry.channel = %(channel)s
   AND entry.happened_at >= %(since)s AND entry.happened_at < %(until)s
"""
# Plan: the workflow's part of runs_by_automation.
STARTED_SQL = """
SELECT run.contact_id, run.entered_at, run.facts
  FROM automations_automationrun AS run
  JOIN automations_automationversion AS version ON version.id = run.version_id
 WHERE run.organization_id = %(organization)s AND run.automation_id = %(automation)s
   AND run.entered_at >= %(since)s AND run.entered_at < %(until)s
   AND version.document -> 'trigger' ->> 'type' = %(trigger)s
"""
ONE_BY_ONE = (
    "Of changes of contacts only those are on record that a colleague or an app made to one contact at a time. What "
    "came with events, imports, changes of many at once and steps of workflows is missing here, so more would enter."
)
NOT_KEPT = (
    "In this time no such change is on record: only what colleagues and apps change one contact at a time is kept "
    "with what it was before. Make a segment of the contacts who have the new value and start the workflow when "
    "somebody enters it: that is kept, and can be replayed."
)
WHO_ENTERED = (
    "Nobody can tell whom somebody or something would have started: taken are those who really entered this workflow "
    "in this time. Whom its filter and entry rule kept out then is not on record."
)
BY_HAND = (
    "Nobody can tell whom a colleague, an app or a schedule would have named, and in this time nobody entered this "
    "workflow. Choose a contact below and walk the workflow with them."
)
FORGOTTEN = (
    "What a prediction was before is not kept, and in this time it started nobody in this workflow. Choose a contact "
    "below and walk the workflow with them."
)


def recorded(flow: Flow, since: datetime, until: datetime) -> Candidates:
    """What is on record of a trigger that neither events nor the clock tell of. Raises `Unreplayable` for nothing."""
    attribute = flow.trigger_key.removeprefix(ATTRIBUTE)
    if attribute == flow.trigger_key:
        rows = _rows(
            STARTED_SQL, since, until, automation=flow.automation_id, trigger=flow.document["trigger"]["type"]
        )
        is_foretold = flow.trigger_key.startswith("prediction:")
        return _heard(flow, rows, WHO_ENTERED, FORGOTTEN if is_foretold else BY_HAND)
    if attribute.startswith(CONSENT):
        channel = attribute.removeprefix(CONSENT)
        return _heard(flow, _rows(CONSENTS_SQL, since, until, attribute=attribute, channel=channel))
    rows = _rows(CHANGES_SQL, since, until, attribute=attribute, path=_path(attribute))
    return _heard(flow, rows, ONE_BY_ONE, NOT_KEPT)


def _path(attribute: str) -> list[str]:
    """Where the audit log keeps a field."""
    if attribute.startswith(CUSTOM):
        return ["attributes", attribute.removeprefix(CUSTOM)]
    return [STANDARD_FIELDS[attribute].column if attribute in STANDARD_FIELDS else attribute]


def _rows(statement: str, since: datetime, until: datetime, **values: Any) -> Iterator[tuple[int, datetime, Any]]:
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(statement, {"organization": tenancy.required(), "since": since, "until": until, **values})
        for contact_id, at, facts in cursor.fetchall():
            yield contact_id, at, msgspec.json.decode(facts)


def _heard(flow: Flow, rows: Iterator[tuple[int, datetime, Any]], note: str = "", nothing: str = "") -> Candidates:
    """Those that the trigger itself lets in. With `nothing` that is said where there are none."""
    kind, key = TRIGGERS.find(flow.document["trigger"]["type"]), flow.trigger_key
    found = [
        (contact_id, micros(at))
        for contact_id, at, facts in rows
        if _is_told(key, facts) and kind.admits(flow.trigger_settings, Happening(key, contact_id, "", facts))
    ]
    if nothing and not found:
        raise Unreplayable(nothing)
    return listed([contact_id for contact_id, _ in found], [at for _, at in found], note)


def _is_told(key: str, facts: Any) -> bool:
    """Whether what started a run says what the trigger asks for; who was started by hand brings nothing."""
    name = key.removeprefix("prediction:")
    return name == key or (facts.get("prediction") or {}).get("name") == name
