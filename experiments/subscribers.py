"""What this room hears."""

from __future__ import annotations

from collections.abc import Sequence

from audience.domain import event_names
from audience.notices import EventsRecorded
from experiments.services import hearing


def on_events(notice: EventsRecorded) -> None:
    hearing.hear(notice.events)


def hears_events(notices: Sequence[EventsRecorded]) -> list[bool]:
    """Which of these hold an event that a metric of an experiment counts."""
    heard = hearing.heard()
    return [bool({event_names.key(event.name) for event in notice.events} & heard) for notice in notices]
