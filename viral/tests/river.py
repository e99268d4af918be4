"""What the tests of this room need of the others: contacts, and events as the audience stores them."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection

from audience.models import Contact, EventDefinition, Identity
from audience.notices import EventsRecorded, RecordedEvent
from audience.services import partitions
from common import tenancy
from viral import services
from viral.models import Program, ReferralCode

NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)


@dataclass
class Happening:
    """An event to be stored."""

    contact: Contact
    name: str
    hours_ago: float = 0
    properties: dict[str, Any] = field(default_factory=dict)
    context: dict[str, Any] = field(default_factory=dict)
    value_minor: int | None = None

    @property
    def happened_at(self) -> datetime:
        return NOON - timedelta(hours=self.hours_ago)


def store(happenings: Sequence[Happening]) -> EventsRecorded:
    """Write events as the audience would and return its notice."""
    definitions = {item.name: EventDefinition.objects.get_or_create(name=item.name)[0].pk for item in happenings}
    events = []
    with tenancy.engine(), connection.cursor() as cursor:
        partitions.ensure_months({item.happened_at for item in happenings})
        for item in happenings:
            cursor.execute(
                """INSERT INTO audience_event (organization_id, contact_id, definition_id, message_key, happened_at,
                                               received_at, properties, context, value_minor, currency)
                   VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, 'GBP') RETURNING id""",
                [
                    tenancy.required(), item.contact.pk, definitions[item.name], uuid.uuid4(), item.happened_at, NOON,
                    json.dumps(item.properties), json.dumps(item.context), item.value_minor,
                ],
            )  # fmt: skip
            event_id = cursor.fetchone()[0]
            events.append(
                RecordedEvent(event_id, item.contact.pk, definitions[item.name], item.name, item.happened_at)
            )
    return EventsRecorded(events)


def contact(name: str = "Ada Lovelace", email: str | None = None, **fields: Any) -> Contact:
    address = f"{name.split()[0].lower()}@example.com" if email is None else email
    return Contact.objects.create(name=name, email=address, **fields)


def device(owner: Contact, value: str, kind: str = "device_id") -> None:
    Identity.objects.create(contact=owner, kind=kind, value=value)


def program(**fields: Any) -> Program:
    return services.create_program(
        {
            "name": "Friends",
            "slug": "friends",
            "landing_url": "https://shop.example/friends?lang=en",
            "inviter_reward_kind": "credit",
            "inviter_reward_amount": 1000,
            "invitee_reward_kind": "points",
            "invitee_reward_amount": 50,
            **fields,
        }
    )


def code_of(friends: Program, who: Contact) -> ReferralCode:
    return services.code_of(friends, who)


def sign_up(who: Contact, code: str, hours_ago: float = 2, **fields: Any) -> Happening:
    return Happening(who, "signed_up", hours_ago, {"referral_code": code}, **fields)


def order(who: Contact, value_minor: int | None = 5000, hours_ago: float = 1, order_id: str = "A1") -> Happening:
    return Happening(who, "order_completed", hours_ago, {"order_id": order_id}, value_minor=value_minor)
