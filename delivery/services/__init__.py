"""Every write of this room."""

from delivery.services.content import Parts, check, completed, publish_content, vocabulary_of
from delivery.services.engagement import simulate_engagement
from delivery.services.preview import DraftView, render_draft, render_preview
from delivery.services.queue import Outgoing, cancel, hold, queue, queue_selected, release, resolve_uncertain
from delivery.services.rendering import Rendered
from delivery.services.sending import send_due
from delivery.services.settings import delete_sender, save_policy, save_sender

__all__ = [
    "DraftView",
    "Outgoing",
    "Parts",
    "Rendered",
    "cancel",
    "check",
    "completed",
    "delete_sender",
    "hold",
    "publish_content",
    "queue",
    "queue_selected",
    "release",
    "render_draft",
    "render_preview",
    "resolve_uncertain",
    "save_policy",
    "save_sender",
    "send_due",
    "simulate_engagement",
    "vocabulary_of",
]
