"""The same change of many contacts in one statement: what workflows do to everybody who stands on a step.

Say the same as `process.states` does contact by contact: what changed, and that it was said now. The rows must be
held by the caller (`survivors.hold`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from django.db import connection

from audience.notices import AttributeChange
from audience.services.process.states import COLUMN, DEFAULTS
from common import clock, tenancy

# Fields that no name of a contact hangs on, set to one value.
FIELDS = frozenset({"status", "priority", "value_minor", "assignee"})

# Plan of all three: one probe of the primary key per contact, read and written.
PUT_SQL = """
WITH before AS MATERIALIZED (
    SELECT id, {column} AS value FROM audience_contact
     WHERE organization_id = %(organization)s AND id = ANY(%(ids)s) AND {column} IS DISTINCT FROM %(value)s
)
UPDATE audience_contact AS contact
   SET {column} = %(value)s, trait_times = contact.trait_times || %(said)s::jsonb, updated_at = %(now)s
  FROM before WHERE contact.organization_id = %(organization)s AND contact.id = before.id
RETURNING contact.id, before.value, contact.{column}
"""
TAGS_SQL = """
WITH before AS MATERIALIZED (
    SELECT id, tags AS value FROM audience_contact
     WHERE organization_id = %(organization)s AND id = ANY(%(ids)s) AND (%(tag)s = ANY(tags)) = %(has)s
)
UPDATE audience_contact AS contact
   SET tags = {tags}, trait_times = contact.trait_times || %(said)s::jsonb, updated_at = %(now)s
  FROM before WHERE contact.organization_id = %(organization)s AND contact.id = before.id
RETURNING contact.id, before.value, contact.tags
"""
WITH_TAG = (
    """ARRAY(SELECT DISTINCT tag COLLATE "C" FROM unnest(before.value || %(tag)s::varchar) AS tag ORDER BY 1)"""
)
WITHOUT_TAG = "array_remove(before.value, %(tag)s)"


def put(contact_ids: Sequence[int], attribute: str, value: Any) -> list[AttributeChange]:
    """Set one of `FIELDS` to a checked value."""
    column = COLUMN.get(attribute, attribute)
    return _change(attribute, PUT_SQL.format(column=column), {"ids": list(contact_ids), "value": value})


def add_tag(contact_ids: Sequence[int], tag: str) -> list[AttributeChange]:
    """Give a checked tag to those who do not have it."""
    return _change("tags", TAGS_SQL.format(tags=WITH_TAG), {"ids": list(contact_ids), "tag": tag, "has": False})


def remove_tag(contact_ids: Sequence[int], tag: str) -> list[AttributeChange]:
    """Take a tag from those who have it."""
    return _change("tags", TAGS_SQL.format(tags=WITHOUT_TAG), {"ids": list(contact_ids), "tag": tag, "has": True})


def _change(attribute: str, statement: str, parameters: dict[str, Any]) -> list[AttributeChange]:
    now = clock.now()
    said = msgspec.json.encode({attribute: now.isoformat()}).decode()
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters | {"organization": tenancy.required(), "now": now, "said": said})
        rows = sorted(cursor.fetchall(), key=lambda row: row[0])
    nothing = DEFAULTS.get(attribute, "")
    return [
        AttributeChange(
            contact_id, attribute, None if before == nothing else before, None if after == nothing else after
        )
        for contact_id, before, after in rows
    ]
