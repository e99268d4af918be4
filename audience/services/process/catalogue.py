"""What exists: attributes with their types, events with their properties; learned from what arrives."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from django.db import connection

from audience.domain import attributes
from audience.domain.attributes import Refused
from audience.domain.incoming import Incoming
from common import clock, tenancy

MOST_ATTRIBUTES = 1000
MOST_PROPERTIES = 300
MOST_PROPERTY_NAME = 200

DEFINE_EVENTS_SQL = """
INSERT INTO audience_eventdefinition (organization_id, name, properties, description, created_at)
SELECT %(organization)s, v.name, v.properties, '', %(now)s
  FROM jsonb_to_recordset(%(rows)s::jsonb) AS v(name text, properties jsonb)
ON CONFLICT (organization_id, name)
   DO UPDATE SET properties = EXCLUDED.properties || audience_eventdefinition.properties
RETURNING name, id
"""
DEFINE_ATTRIBUTES_SQL = """
INSERT INTO audience_attributedefinition (organization_id, name, type, description, created_at)
SELECT %(organization)s, v.key, v.value, '', %(now)s FROM jsonb_each_text(%(rows)s::jsonb) AS v
ON CONFLICT (organization_id, name) DO NOTHING
"""


def learn_events(messages: Sequence[Incoming]) -> dict[str, int]:
    """Event name → definition id for every name in the block, new names and new properties included."""
    seen: dict[str, dict[str, Any]] = {}
    for message in messages:
        known = seen.setdefault(message.name, {})
        for name, value in message.properties.items():
            if name not in known and value is not None:
                known[name] = value
    if not seen:
        return {}
    ids, stored = _stored_events(list(seen))
    rows = [
        {"name": name, "properties": new}
        for name, values in seen.items()
        if (new := _new_properties(values, stored.get(name, {}))) or name not in ids
    ]
    if rows:
        with connection.cursor() as cursor:
            parameters: dict[str, Any] = {
                "organization": tenancy.required(),
                "now": clock.now(),
                "rows": json.dumps(rows),
            }
            cursor.execute(DEFINE_EVENTS_SQL, parameters)
            ids.update(cursor.fetchall())
    return ids


def _stored_events(names: list[str]) -> tuple[dict[str, int], dict[str, dict[str, str]]]:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT name, id, properties::text FROM audience_eventdefinition
                WHERE organization_id = %s AND name = ANY(%s)""",
            [tenancy.required(), names],
        )
        rows = cursor.fetchall()
    return {row[0]: row[1] for row in rows}, {row[0]: json.loads(row[2]) for row in rows}


def _new_properties(values: dict[str, Any], stored: dict[str, str]) -> dict[str, str]:
    new = [name for name in values if name not in stored and len(name) <= MOST_PROPERTY_NAME]
    room = max(0, MOST_PROPERTIES - len(stored))
    return {name: attributes.type_of(values[name]) for name in new[:room]}


class AttributeCatalogue:
    """The organisation's custom attributes while a block is applied."""

    def __init__(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT name, type FROM audience_attributedefinition WHERE organization_id = %s", [tenancy.required()]
            )
            self.types: dict[str, str] = dict(cursor.fetchall())
        self.new: dict[str, str] = {}

    def check(self, name: str, value: object) -> None:
        """Learn a new attribute's type, or raise `Refused` when the value would change a known one."""
        known = self.types.get(name)
        if known is not None:
            attributes.check_type(name, known, value)
            return
        if len(self.types) >= MOST_ATTRIBUTES:
            raise Refused(f"`{name}` would be attribute number {len(self.types) + 1}; {MOST_ATTRIBUTES} are allowed.")
        self.types[name] = self.new[name] = attributes.type_of(value)

    def store(self) -> None:
        """Write what was learned."""
        if self.new:
            with connection.cursor() as cursor:
                parameters: dict[str, Any] = {
                    "organization": tenancy.required(),
                    "now": clock.now(),
                    "rows": json.dumps(self.new),
                }
                cursor.execute(DEFINE_ATTRIBUTES_SQL, parameters)
            self.new = {}
