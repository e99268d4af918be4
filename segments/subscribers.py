"""What this room does when others announce something. Idempotent: it looks at the present state."""

from __future__ import annotations

from collections.abc import Sequence

from accounts.notices import TimeZoneChanged
from audience.notices import ContactsChanged, EventsRecorded, PredictionsChanged
from common import outbox
from segments.notices import MembershipChanged
from segments.services import live


def on_audience_moved(notices: list[ContactsChanged | EventsRecorded]) -> None:
    """Joined by kind first: a hundred notices read the rules' index twice, not a hundred times."""
    changed = [notice for notice in notices if isinstance(notice, ContactsChanged)]
    recorded = [notice for notice in notices if isinstance(notice, EventsRecorded)]
    live.audience_moved([outbox.join(list(group)) for group in (changed, recorded) if group])


def on_predictions_changed(notices: list[PredictionsChanged]) -> None:
    """Joined like the others: a nightly run of a model announces itself in many blocks."""
    live.predictions_moved(notices)


def on_membership_changed(notices: list[MembershipChanged]) -> None:
    """Segments that refer to segments follow them."""
    live.memberships_moved(notices)


def hears_memberships(notices: Sequence[MembershipChanged]) -> list[bool]:
    """Which of these are about segments that other segments refer to."""
    return live.concerned(notices)


def on_zone_changed(notice: TimeZoneChanged) -> None:
    """Days begin at another moment for everybody without a zone of their own."""
    live.zone_changed()
