"""What rules read of contacts at a moment, kept small: fields have no history, so who decides by them keeps them.

Kept are the fields by name (`city`, `attributes.plan`), without those that are not set. `Was` puts them back over a
contact's row of today, so that the one compiler says what a rule said then.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from django.db import connection

from audience.models import Contact
from common import tenancy
from segments.rules import needs
from segments.rules.catalogue import CUSTOM, STANDARD_FIELDS
from segments.rules.parameters import Parameters
from segments.rules.tree import Rule

MOST_BYTES = 2000  # of what is kept for one contact; beyond it nothing is

# Plan: one probe of the primary key for each contact.
READ_SQL = """
SELECT kept.id, kept.fields FROM (
    SELECT contact.id, jsonb_strip_nulls(jsonb_build_object({fields}))::text AS fields
      FROM audience_contact AS contact
     WHERE contact.organization_id = %(organization)s AND contact.id = ANY(%(contacts)s)) AS kept
 WHERE octet_length(kept.fields) <= %(most)s
"""


def read(rules: Sequence[Rule], contact_ids: Collection[int]) -> dict[int, msgspec.Raw]:
    """Contact → what these rules read of it now, as JSON. One statement, none when they read no field."""
    names = sorted(set().union(*(needs.contact_fields(rule) for rule in rules)))
    if not names or not contact_ids:
        return {}
    parameters = Parameters(organization=tenancy.required(), contacts=list(contact_ids), most=MOST_BYTES)
    fields = ", ".join(f"{parameters.bind(name, 'text')}, {_value(name, parameters)}" for name in names)
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(READ_SQL.format(fields=fields), parameters.values)
        return {contact_id: msgspec.Raw(kept.encode()) for contact_id, kept in cursor.fetchall()}


def _value(name: str, parameters: Parameters) -> str:
    if name.startswith(CUSTOM):
        return f"contact.attributes -> {parameters.bind(name.removeprefix(CUSTOM), 'text')}"
    return f"contact.{STANDARD_FIELDS[name].column}"


@dataclass(frozen=True)
class Was:
    """A contact's fields as they were: `columns` by name, and the attributes among `names` that had a value."""

    columns: Mapping[str, Any]
    names: Sequence[str]
    attributes: Mapping[str, Any]

    @property
    def parameters(self) -> dict[str, Any]:
        return {
            "was_columns": msgspec.json.encode(self.columns).decode(),
            "was_names": list(self.names),
            "was_attributes": msgspec.json.encode(self.attributes).decode(),
        }

    def over(self, contact: Contact) -> None:
        """The same over a row in memory, for what is shown beside a verdict."""
        fields = {field.attname: field for field in Contact._meta.concrete_fields}
        for column, value in self.columns.items():
            setattr(contact, column, fields[column].to_python(value))
        kept = {name: value for name, value in contact.attributes.items() if name not in self.names}
        contact.attributes = kept | dict(self.attributes)


# The contacts of a statement, their rows as they were.
CONTACTS = """(SELECT (jsonb_populate_record(stored, %(was_columns)s::jsonb || jsonb_build_object(
              'attributes', (stored.attributes - %(was_names)s::text[]) || %(was_attributes)s::jsonb))).*
          FROM audience_contact stored WHERE stored.id = ANY(%(contacts)s::bigint[]))"""


def was(rule: Rule, kept: Mapping[str, Any]) -> Was:
    """What `read` kept, for this rule: a field it reads that was not kept was not set."""
    names = needs.contact_fields(rule)
    columns = {STANDARD_FIELDS[name].column: kept.get(name) for name in names if name in STANDARD_FIELDS}
    attributes = [name.removeprefix(CUSTOM) for name in names if name.startswith(CUSTOM)]
    known = {name: kept[f"{CUSTOM}{name}"] for name in attributes if f"{CUSTOM}{name}" in kept}
    return Was(columns, attributes, known)
