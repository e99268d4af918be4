"""Values that really occur, most frequent first, for whoever writes a condition."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.db import connection

from audience.models import EventDefinition
from common import tenancy
from common.errors import Invalid
from segments import estimates, samples
from segments.rules.catalogue import CUSTOM, STANDARD_FIELDS, Catalogue

MOST = 20
# The newest events of a kind say what its properties hold nowadays.
EVENTS = 3_000
LIMIT_MS = 1_000

# One row per value: lists are taken apart, what is no single value is left out.
COUNT_SQL = """
SELECT value, count(*)
FROM ({documents}) found(document)
CROSS JOIN LATERAL jsonb_array_elements(
    CASE jsonb_typeof(document) WHEN 'array' THEN document ELSE jsonb_build_array(document) END) AS each(value)
WHERE jsonb_typeof(value) IN ('string', 'number', 'boolean') AND value <> '""'
  AND starts_with(lower(value #>> '{{}}'), lower(%(starts)s)) AND length(value #>> '{{}}') <= 200
GROUP BY value ORDER BY count(*) DESC, value LIMIT %(most)s
"""
# Plan: primary keys of the sample.
CONTACT_SQL = """SELECT {document} FROM audience_contact contact
WHERE contact.organization_id = %(organization)s AND contact.id = ANY(%(ids)s::bigint[])"""
# Plan: event_by_definition backwards, partition by partition from the newest, until EVENTS rows were met.
EVENT_SQL = """SELECT properties -> %(property)s FROM (
    SELECT properties FROM audience_event event
    WHERE event.organization_id = %(organization)s AND event.definition_id = %(definition)s
    ORDER BY happened_at DESC LIMIT %(events)s) newest"""


@dataclass(frozen=True)
class SuggestedValue:
    """A value as rules write it, and how often it stood in what was looked at."""

    value: str | int | float | bool
    count: int


def of_field(field: str, starts: str, known: Catalogue) -> list[SuggestedValue]:
    """Values of a contact's field among some thousand contacts; raises `Invalid` for an unknown field."""
    if known.kind_of(field) is None:
        raise Invalid("There is no such field.", details={"field": f"There is no field “{field[:100]}” here."})
    document = "contact.attributes -> %(name)s"
    if not field.startswith(CUSTOM):
        document = f"to_jsonb(contact.{STANDARD_FIELDS[field].column})"
    with estimates.limited(LIMIT_MS):
        parameters = {"name": field.removeprefix(CUSTOM), "ids": samples.everybody().ids}
        return _counted(CONTACT_SQL.format(document=document), parameters, starts)


def of_property(event: str, name: str, starts: str) -> list[SuggestedValue]:
    """Values of a property among the newest events of a kind; none for a kind nobody has sent."""
    definition_id = EventDefinition.objects.filter(name=event).values_list("pk", flat=True).first()
    if definition_id is None:
        return []
    with estimates.limited(LIMIT_MS):
        return _counted(EVENT_SQL, {"definition": definition_id, "property": name, "events": EVENTS}, starts)


def _counted(documents: str, parameters: dict[str, Any], starts: str) -> list[SuggestedValue]:
    bound = parameters | {"organization": tenancy.required(), "starts": starts, "most": MOST}
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(COUNT_SQL.format(documents=documents), bound)
        return [SuggestedValue(json.loads(value), count) for value, count in cursor.fetchall()]
