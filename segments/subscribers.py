"""What this room does when others announce something. Idempotent: each looks at the present state."""

from __future__ import annotations

from audience.notices import ContactsChanged, EventsRecorded
from segments.services import live


def on_events_recorded(notice: EventsRecorded) -> None:
    live.events_recorded(notice)


def on_contacts_changed(notice: ContactsChanged) -> None:
    live.contacts_changed(notice)
