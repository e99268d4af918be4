"""Every write of this room."""

from delivery.services.content import Parts, check, publish_content
from delivery.services.queue import Outgoing, cancel, hold, queue, queue_selected, release, resolve_uncertain
from delivery.services.rendering import Rendered
from delivery.services.sending import send_due

__all__ = [
    "Outgoing",
    "Parts",
    "Rendered",
    "cancel",
    "check",
    "hold",
    "publish_content",
    "queue",
    "queue_selected",
    "release",
    "resolve_uncertain",
    "send_due",
]
