"""What this room hears."""

from __future__ import annotations

from attribution import services
from audience.notices import ContactsChanged, EventsRecorded


def on_events(notice: EventsRecorded) -> None:
    services.record_events(notice.events)


def on_contacts(notice: ContactsChanged) -> None:
    services.follow_merges(notice.merged)
