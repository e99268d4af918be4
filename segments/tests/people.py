"""Contacts and events for this room's tests, written straight into the tables."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection

from audience.models import AttributeDefinition, Contact, EventDefinition
from audience.notices import AttributeChange, ContactsChanged, EventsRecorded, RecordedEvent
from audience.services import partitions
from common import outbox, tenancy
from segments.rules import catalogue

NOON = datetime(2026, 6, 15, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def contact(**fields: Any) -> Contact:
    return Contact.objects.create(**({"name": "Ada", "first_seen_at": NOON, "last_seen_at": NOON} | fields))


def attribute(name: str, type: str) -> None:
    AttributeDefinition.objects.get_or_create(name=name, defaults={"type": type})


def definition(name: str, **properties: str) -> int:
    row, _ = EventDefinition.objects.get_or_create(name=name, defaults={"properties": properties})
    return row.pk


def event(who: Contact | int, name: str, at: datetime, **properties: Any) -> RecordedEvent:
    """One event in the table; returns what the notice would carry."""
    contact_id = who if isinstance(who, int) else who.pk
    return events([(contact_id, name, at, properties)])[0]


def events(rows: Sequence[tuple[int, str, datetime, dict[str, Any]]]) -> list[RecordedEvent]:
    definitions = {name: definition(name) for name in {row[1] for row in rows}}
    with tenancy.engine(), connection.cursor() as cursor:
        partitions.ensure_months([row[2] for row in rows])
        recorded = []
        for contact_id, name, at, properties in rows:
            cursor.execute(
                """INSERT INTO audience_event (organization_id, contact_id, definition_id, message_key, happened_at,
                                               received_at, properties)
                   VALUES (%s, %s, %s, %s, %s, %s, %s) RETURNING id""",
                [tenancy.required(), contact_id, definitions[name], uuid.uuid4(), at, at, _json(properties)],
            )
            event_id = cursor.fetchone()[0]
            recorded.append(RecordedEvent(event_id, contact_id, definitions[name], name, at))
    return recorded


def _json(value: Any) -> Any:
    from django.db.backends.postgresql.psycopg_any import Jsonb

    return Jsonb(value)


def tell_events(*recorded: RecordedEvent) -> None:
    outbox.publish(EventsRecorded(list(recorded)))


def tell_created(*contacts: Contact) -> None:
    outbox.publish(ContactsChanged(created=[row.pk for row in contacts]))


def change(who: Contact, field: str, value: Any) -> None:
    """Change one field of a contact and announce it."""
    if field.startswith(catalogue.CUSTOM):
        who.attributes[field.removeprefix(catalogue.CUSTOM)] = value
    else:
        setattr(who, field, value)
    who.save()
    outbox.publish(ContactsChanged(changes=[AttributeChange(who.pk, field, None, value)]))


def everyone(*rules: Any) -> dict[str, Any]:
    return {"match": "all", "rules": list(rules)}


def on(field: str, operator: str, *value: Any) -> dict[str, Any]:
    """A condition on a field; the value is left out for operators that take none."""
    return {"field": field, "operator": operator} | ({"value": value[0]} if value else {})


def city(name: str) -> dict[str, Any]:
    return on("city", "equals", name)


def did(
    event_name: str, count: int = 1, days: int | None = None, *where: Any, operator: str = "did"
) -> dict[str, Any]:
    rule: dict[str, Any] = {"event": event_name, "operator": operator, "count": count}
    if days is not None:
        rule["within"] = {"days": days}
    if where:
        rule["where"] = list(where)
    return rule
