"""What the tests of this room need of the others: events as the audience stores them, messages, campaigns."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection

from audience.models import Contact, EventDefinition
from audience.notices import EventsRecorded, RecordedEvent
from audience.services import partitions
from campaigns.models import Campaign
from common import tenancy
from delivery.models import Content, Message

NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)


@dataclass
class Happening:
    """An event to be stored."""

    contact: Contact
    name: str
    days_ago: float = 0
    properties: dict[str, Any] = field(default_factory=dict)
    context: dict[str, Any] = field(default_factory=dict)
    value_minor: int | None = None
    currency: str | None = None

    @property
    def happened_at(self) -> datetime:
        return NOON - timedelta(days=self.days_ago)


def store(happenings: Sequence[Happening]) -> EventsRecorded:
    """Write events as the audience would and return its notice."""
    names = {item.name for item in happenings}
    definitions = {name: EventDefinition.objects.get_or_create(name=name)[0].pk for name in names}
    events = []
    with tenancy.engine(), connection.cursor() as cursor:
        partitions.ensure_months({item.happened_at for item in happenings})
        for item in happenings:
            cursor.execute(
                """INSERT INTO audience_event (organization_id, contact_id, definition_id, message_key, happened_at,
                                               received_at, properties, context, value_minor, currency)
                   VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING id""",
                [
                    tenancy.required(), item.contact.pk, definitions[item.name], uuid.uuid4(), item.happened_at,
                    NOON, json.dumps(item.properties), json.dumps(item.context), item.value_minor, item.currency,
                ],
            )  # fmt: skip
            event_id = cursor.fetchone()[0]
            events.append(
                RecordedEvent(event_id, item.contact.pk, definitions[item.name], item.name, item.happened_at)
            )
    return EventsRecorded(events)


def contact(name: str = "Ada") -> Contact:
    return Contact.objects.create(name=name, email=f"{name.lower()}@example.com")


def campaign(name: str = "June", **fields: Any) -> Campaign:
    return Campaign.objects.create(name=name, **{"utm_campaign": name.lower(), **fields})


def message(to: Contact, source: Campaign | None, **fields: Any) -> Message:
    content, _ = Content.objects.get_or_create(checksum="c" * 64, defaults={"name": "Hello"})
    return Message.objects.create(
        contact=to,
        content=content,
        idempotency_key=str(uuid.uuid4()),
        source_type="campaign" if source else "automation",
        source_id=source.pk if source else 7,
        **{"status": "sent", "sent_at": NOON - timedelta(days=3), **fields},
    )


def visit(who: Contact, days_ago: float, source: str = "google", medium: str = "cpc", name: str = "") -> Happening:
    return Happening(who, "page", days_ago, context={"campaign": {"source": source, "medium": medium, "name": name}})


def order(who: Contact, value_minor: int, days_ago: float = 0, order_id: str = "", **fields: Any) -> Happening:
    properties = {"order_id": order_id} if order_id else {}
    return Happening(who, "order_completed", days_ago, properties, value_minor=value_minor, currency="GBP", **fields)
