"""What this room does when others, or itself, announce something. Each handler may run twice for one notice."""

from __future__ import annotations

from collections.abc import Sequence

from audience.notices import ConsentRequested, ContactsChanged
from delivery.models import EngagementKind, MessageStatus
from delivery.notices import MessageEngaged, MessagesSettled
from delivery.services import confirming, preferences, reputation

CAME_BACK = (EngagementKind.BOUNCE, EngagementKind.COMPLAINT)


def hears_what_comes_back(notices: Sequence[MessagesSettled | MessageEngaged]) -> list[bool]:
    """Only what harms a sender's name: refused by the server, bounced later, reported as spam."""
    return [
        notice.status == MessageStatus.FAILED if isinstance(notice, MessagesSettled) else notice.kind in CAME_BACK
        for notice in notices
    ]


def on_what_comes_back(notices: Sequence[MessagesSettled | MessageEngaged]) -> None:
    """Have the numbers looked at; however often this is told, they are looked at once."""
    reputation.ask()


def contacts_changed(notice: ContactsChanged) -> None:
    """Wishes follow contacts that became one, and go with those that are gone."""
    if notice.merged:
        preferences.follow_merges(notice.merged)
    if notice.deleted:
        preferences.forget(notice.deleted)


def consent_requested(notice: ConsentRequested) -> None:
    """Each open request gets its mail with the link, as far as the limit allows."""
    confirming.send_links(notice.request_ids)
