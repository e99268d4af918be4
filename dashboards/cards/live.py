"""What happens right now."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.urls import reverse

from accounts.models import Organization
from common import clock
from dashboards import selectors
from dashboards.cards.base import Card, Reading
from dashboards.links import listing


def _contacts(place: Organization) -> Reading:
    return Reading(f"{selectors.contact_count():,}", "people we know", listing("audience.contact"))


def _minute(place: Organization) -> Reading:
    return Reading(
        f"{selectors.event_count(timedelta(minutes=1)):,}", "in the last minute", reverse("dashboards:health")
    )


def _hour(place: Organization) -> Reading:
    return Reading(f"{selectors.event_count(timedelta(hours=1)):,}", "in the last hour", reverse("dashboards:health"))


def _sent(place: Organization) -> Reading:
    zone = ZoneInfo(place.timezone)
    midnight = datetime.combine(clock.now().astimezone(zone).date(), time.min, zone)
    count = selectors.sent_count(midnight)
    return Reading(
        f"{count:,}", f"since midnight in {place.timezone}", listing("delivery.message", status__exact="sent")
    )


def _opened(place: Organization) -> Reading:
    rate = selectors.open_rate()
    link = listing("delivery.message", status__exact="sent")
    if rate is None:
        return Reading("–", "nothing sent in 30 days", link)
    return Reading(f"{rate:.1%}", "of people mailed in 30 days", link)


def _runs(place: Organization) -> Reading:
    count = selectors.active_run_count()
    return Reading(
        f"{count:,}", "people inside automations", listing("automations.automationrun", status__exact="running")
    )


CARDS = [
    Card(
        "contacts", "Contacts", "group", "audience", "Everybody we know, merged people counted once.", _contacts, True
    ),
    Card("events_minute", "Events", "bolt", "audience", "What people did in the last 60 seconds.", _minute, True),
    Card("events_hour", "Events", "timeline", "audience", "What people did in the last 60 minutes.", _hour, True),
    Card("sent_today", "Sent today", "outgoing_mail", "delivery", "Messages that left the house today.", _sent, True),
    Card(
        "open_rate", "Open rate", "drafts", "delivery", "Of the people mailed, who opened something.", _opened, True
    ),
    Card("active_runs", "Active runs", "play_circle", "automations", "People on their way.", _runs, True),
]
