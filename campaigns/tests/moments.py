"""Campaigns at a moment: who gets them when, and what is done then."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any

from accounts.models import Organization
from audience.models import Contact
from campaigns import services
from campaigns.models import Campaign
from campaigns.tests import making
from common import clock
from delivery.models import Message, MessageStatus

LUNCH = datetime(2026, 3, 28, 12, tzinfo=UTC)  # Saturday; in the night London's clocks go forward
NINE = time(9)
DAILY = {"every": "day", "time": "09:00"}


def people_in(*zones: str) -> list[Contact]:
    return [making.contacts(1, start=number, timezone=zone)[0] for number, zone in enumerate(zones, start=1)]


def launched(people: list[Contact], **fields: Any) -> Campaign:
    return services.launch(making.campaign([making.segment(people)], **fields))


def moments_of(people: list[Contact]) -> list[str]:
    """When each contact's message goes, in UTC."""
    run_at = dict(Message.objects.exclude(source_id=0).values_list("contact_id", "run_at"))
    return [f"{run_at[person.pk]:%d %H:%M}" if person.pk in run_at else "–" for person in people]


def work_at(moment: datetime) -> int:
    with clock.freeze(moment):
        return services.work(Organization.objects.get().pk)


def settle(moment: datetime, status: str = MessageStatus.SENT) -> None:
    """What was written has left; the campaign hears of it."""
    Message.objects.filter(status=MessageStatus.QUEUED).update(status=status, sent_at=moment)
    with clock.freeze(moment):
        services.settled(Campaign.objects.get().pk)
