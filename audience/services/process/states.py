"""Contacts while a block is applied to them: loaded, changed in memory, written back in one statement."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import msgspec
from django.db import connection

from audience.domain.attributes import STANDARD, Refused, Times, spread
from audience.domain.incoming import Incoming
from audience.notices import AttributeChange
from audience.services.process.catalogue import AttributeCatalogue
from common import clock, tenancy

FIELDS = [*sorted(STANDARD), "assignee"]
CUSTOM = "attributes."
DEFAULTS: dict[str, Any] = {"status": "new", "priority": "medium", "value_minor": 0, "tags": [], "assignee": None}
COLUMN = {"assignee": "assignee_id"}
FIELD_COLUMNS = [COLUMN.get(name, name) for name in FIELDS]

# FOR UPDATE in id order: colleagues and workflows edit contacts at the same time.
LOAD_SQL = f"""
SELECT id, user_id, first_seen_at, last_seen_at, traits_at, trait_times::text, attributes::text,
       {", ".join(FIELD_COLUMNS)}
  FROM audience_contact WHERE organization_id = %s AND id = ANY(%s) ORDER BY id FOR UPDATE
"""
COLUMN_TYPES = {"tags": "text[]", "value_minor": "bigint", "assignee_id": "bigint"}
RECORD = ", ".join(
    ["id bigint", "user_id text", "first_seen_at timestamptz", "last_seen_at timestamptz", "traits_at timestamptz"]
    + ["trait_times jsonb", "attributes jsonb"]
    + [f"{name} {COLUMN_TYPES.get(name, 'text')}" for name in FIELD_COLUMNS]
)
COLUMNS = ["user_id", "first_seen_at", "last_seen_at", "traits_at", "trait_times", "attributes", *FIELD_COLUMNS]
INSERT_SQL = f"""
INSERT INTO audience_contact (organization_id, id, created_at, updated_at, {", ".join(COLUMNS)})
SELECT %(organization)s, v.id, %(now)s, %(now)s, {", ".join(f"v.{name}" for name in COLUMNS)}
  FROM jsonb_to_recordset(%(rows)s::jsonb) AS v({RECORD})
"""
UPDATE_SQL = f"""
UPDATE audience_contact AS contact
   SET updated_at = %(now)s, {", ".join(f"{name} = v.{name}" for name in COLUMNS)}
  FROM jsonb_to_recordset(%(rows)s::jsonb) AS v({RECORD})
 WHERE contact.id = v.id AND contact.organization_id = %(organization)s
"""
_encode = msgspec.json.Encoder().encode


class State:
    """One contact in memory."""

    __slots__ = ("attributes", "befores", "first_at", "id", "is_touched", "last_at", "times", "user_id", "values")

    def __init__(self, contact_id: int) -> None:
        self.id = contact_id
        self.user_id = ""
        self.first_at: datetime | None = None
        self.last_at: datetime | None = None
        self.values: dict[str, Any] = {}
        self.attributes: dict[str, Any] = {}
        self.times = Times(None, {})
        self.befores: dict[str, Any] = {}
        self.is_touched = False

    def get(self, attribute: str) -> Any:
        """A standard field's value or `attributes.<name>`'s; None when it has none."""
        if attribute.startswith(CUSTOM):
            return self.attributes.get(attribute[len(CUSTOM) :])
        value = self.values.get(attribute)
        return None if value == DEFAULTS.get(attribute, "") else value

    def put(self, attribute: str, value: Any) -> None:
        """Set or, with None, take away a custom attribute; remembers what was there first."""
        before = self.get(attribute)
        if before == value and type(before) is type(value):
            return
        self.befores.setdefault(attribute, before)
        self.is_touched = True
        if not attribute.startswith(CUSTOM):
            self.values[attribute] = value
        elif value is None:
            self.attributes.pop(attribute[len(CUSTOM) :], None)
        else:
            self.attributes[attribute[len(CUSTOM) :]] = value

    def name_user(self, user_id: str) -> None:
        """Give the contact the client's own id."""
        if self.user_id != user_id:
            self.befores.setdefault("user_id", self.user_id or None)
            self.user_id, self.is_touched = user_id, True

    def hear(self, message: Incoming, catalogue: AttributeCatalogue, currency: str) -> list[tuple[str, Any, str]]:
        """Apply a message's traits as of its moment; returns the refused ones as (name, value, reason)."""
        refused: list[tuple[str, Any, str]] = []
        said: set[str] = set()
        was_touched = self.is_touched
        for attribute, value, why in spread(message.traits, currency):
            if why:
                refused.append((attribute, value, why))
            elif (verdict := self._say(attribute, value, message.happened_at, catalogue)) is None:
                said.add(attribute)
            elif verdict:
                refused.append((attribute.removeprefix(CUSTOM), value, verdict))
        for attribute, value, why in spread(message.traits_once, currency):
            if (
                not why
                and self.get(attribute) is None
                and not self._say(attribute, value, message.happened_at, catalogue)
            ):
                said.add(attribute)
        for name in message.unset:
            if self._say(CUSTOM + name, None, message.happened_at, catalogue) is None:
                said.add(CUSTOM + name)
        # Repeating what is known moves its time only for calls whose purpose is to say it.
        if said and (message.is_identify or self.is_touched or was_touched):
            self.times.advance(message.happened_at, said, self._present())
            self.is_touched = True
        return refused

    def _say(self, attribute: str, value: Any, moment: datetime, catalogue: AttributeCatalogue) -> str | None:
        """None when said, "" when something newer was said before, else the reason for a refusal."""
        if self.get(attribute) is not None or attribute in self.times.exceptions:
            told_at = self.times.said_at(attribute)
            if told_at is not None and told_at > moment:
                return ""
        if attribute.startswith(CUSTOM):
            try:
                if value is not None:
                    catalogue.check(attribute[len(CUSTOM) :], value)
            except Refused as error:
                return str(error)
            if value is None:
                # Taken away now: an older message must not bring it back.
                self.times.exceptions[attribute] = moment.isoformat()
        self.put(attribute, value)
        return None

    def _present(self) -> set[str]:
        if self.times.latest is None:
            return set()
        return {name for name in self.values if self.get(name) is not None} | {
            CUSTOM + name for name in self.attributes
        }

    def as_row(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "user_id": self.user_id,
            "first_seen_at": self.first_at,
            "last_seen_at": self.last_at,
            "traits_at": self.times.latest,
            "trait_times": self.times.exceptions,
            "attributes": self.attributes,
            **{COLUMN.get(name, name): self.values.get(name, DEFAULTS.get(name, "")) for name in FIELDS},
        }

    def changes(self) -> list[AttributeChange]:
        return [
            AttributeChange(self.id, attribute, before, after)
            for attribute, before in self.befores.items()
            if before != (after := self.user_id if attribute == "user_id" else self.get(attribute))
        ]


def blank(contact_id: int, span: tuple[datetime, datetime] | None) -> State:
    """A contact that is not stored yet."""
    state = State(contact_id)
    state.first_at, state.last_at = span or (clock.now(), clock.now())
    return state


def load(ids: Collection[int]) -> dict[int, State]:
    """Stored contacts by id, locked until the block commits."""
    found: dict[int, State] = {}
    if not ids:
        return found
    with connection.cursor() as cursor:
        cursor.execute(LOAD_SQL, [tenancy.required(), sorted(ids)])
        for contact_id, user_id, first_at, last_at, traits_at, times, attributes, *values in cursor.fetchall():
            state = found[contact_id] = State(contact_id)
            state.user_id, state.first_at, state.last_at = user_id, first_at, last_at
            state.attributes = msgspec.json.decode(attributes)
            state.times = Times(traits_at, msgspec.json.decode(times))
            state.values = dict(zip(FIELDS, values, strict=True))
    return found


def store(held: dict[int, State], fresh_ids: set[int]) -> list[AttributeChange]:
    """Write new and changed contacts; returns what changed for those that were there before."""
    fresh = [state.as_row() for contact_id, state in held.items() if contact_id in fresh_ids]
    changed = [state for contact_id, state in held.items() if contact_id not in fresh_ids and state.is_touched]
    _write(INSERT_SQL, fresh)
    _write(UPDATE_SQL, [state.as_row() for state in changed])
    return [change for state in changed for change in state.changes()]


def _write(statement: str, rows: list[dict[str, Any]]) -> None:
    if rows:
        with connection.cursor() as cursor:
            parameters: dict[str, Any] = {
                "organization": tenancy.required(),
                "now": clock.now(),
                "rows": _encode(rows).decode(),
            }
            cursor.execute(statement, parameters)
