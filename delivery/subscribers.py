"""What this room hears of itself: mail that came back makes the numbers worth a look."""

from __future__ import annotations

from collections.abc import Sequence

from delivery.models import EngagementKind, MessageStatus
from delivery.notices import MessageEngaged, MessagesSettled
from delivery.services import reputation

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
