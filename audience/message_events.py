"""What events of messages are called: the channel, then what became of the message. Nowhere else says so."""

from __future__ import annotations

from enum import StrEnum

from audience.models import MessageChannel


class MessageEvent(StrEnum):
    """What may become of a message."""

    SENT = "sent"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    OPENED = "opened"
    CLICKED = "clicked"
    DISMISSED = "dismissed"  # out of an inbox, a banner, a modal
    UNSUBSCRIBED = "unsubscribed"


def name_of(channel: str, what: MessageEvent) -> str:
    """The name of an event, such as `email_opened` or `sms_clicked`."""
    return f"{channel}_{what}"


def names_of(what: MessageEvent) -> dict[str, str]:
    """Event name → channel, for every channel."""
    return {name_of(channel, what): channel for channel in MessageChannel.values}
