"""What this room hears."""

from __future__ import annotations

from collections.abc import Sequence

from audience.domain import event_names
from audience.notices import ContactsChanged, EventsRecorded
from experiments.domain import reports
from experiments.services import exposing, following, hearing


def on_events(notice: EventsRecorded) -> None:
    """First who met an arm, then what people did: an order may be told together with what led to it."""
    exposing.hear(notice.events)
    hearing.hear(notice.events)


def hears_events(notices: Sequence[EventsRecorded]) -> list[bool]:
    """Which of these hold an exposure, or an event that a metric of an experiment counts."""
    heard = hearing.heard() | set(reports.SPELLINGS)
    return [bool({event_names.key(event.name) for event in notice.events} & heard) for notice in notices]


def on_contacts(notice: ContactsChanged) -> None:
    following.follow_merges(notice.merged)
    following.forget(notice.deleted)


def hears_contacts(notices: Sequence[ContactsChanged]) -> list[bool]:
    """Which of these hold people who became one or are gone."""
    return [bool(notice.merged or notice.deleted) for notice in notices]
