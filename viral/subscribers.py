"""What this room hears."""

from __future__ import annotations

from audience.notices import ContactsChanged, EventsRecorded, RewardsPromised
from viral import services


def on_events(notice: EventsRecorded) -> None:
    services.record_events(notice.events)


def on_promises(notice: RewardsPromised) -> None:
    services.keep_promises(notice)


def on_contacts(notice: ContactsChanged) -> None:
    services.follow_merges(notice.merged)
