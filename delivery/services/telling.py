"""What became of a message, as an event of its contact: the one place where delivery writes such events."""

from __future__ import annotations

from datetime import datetime

from audience.message_events import MessageEvent, name_of
from audience.services import InternalEvent
from common import clock
from delivery.models import Engagement, EngagementKind, Message
from delivery.services.claiming import Recipient

WHAT = {
    EngagementKind.OPEN: MessageEvent.OPENED,
    EngagementKind.CLICK: MessageEvent.CLICKED,
    EngagementKind.UNSUBSCRIBE: MessageEvent.UNSUBSCRIBED,
    EngagementKind.BOUNCE: MessageEvent.BOUNCED,
    EngagementKind.COMPLAINT: MessageEvent.COMPLAINED,
}
# Of these a message has one, however often it is said; people open and click more than once.
ONCE = (EngagementKind.BOUNCE, EngagementKind.COMPLAINT)


def happening(
    message: Message | Recipient, what: MessageEvent, happened_at: datetime, key: object = None, **more: object
) -> InternalEvent:
    """The event that says so. Written once per `key` of its name, which is the message's number unless given."""
    message_id = message.pk if isinstance(message, Message) else message.message_id
    name = name_of(message.channel, what)
    return InternalEvent(
        contact_id=message.contact_id,
        name=name,
        happened_at=happened_at,
        properties=properties_of(message_id, message.source_type, message.source_id, message.content_id) | more,
        message_id=f"{name}:{message_id if key is None else key}",
    )


def engagement_event(message: Message, row: Engagement) -> InternalEvent:
    """What came back for a message. Written once however often it is told."""
    kind = EngagementKind(row.kind)
    more: dict[str, object] = {"url": row.url} if row.url else {}
    if row.is_simulated:
        more["is_simulated"] = True
    return happening(message, WHAT[kind], row.happened_at, None if kind in ONCE else row.pk, **more)


def sent_event(message: Message) -> InternalEvent:
    """That a message was sent, for one of which it became known later."""
    return happening(message, MessageEvent.SENT, message.sent_at or clock.now())


def properties_of(message_id: int, source_type: str, source_id: int, content_id: int) -> dict[str, object]:
    """What every event of a message says about the message behind it."""
    properties: dict[str, object] = {"message_id": message_id, "content_id": content_id}
    if source_type in ("campaign", "automation"):
        properties[f"{source_type}_id"] = source_id
    return properties
