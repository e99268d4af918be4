"""Every write of this room."""

from delivery.domain.channels import CHANNELS
from delivery.services.content import Parts, Variant, check, completed, publish_content, vocabulary_of
from delivery.services.engagement import simulate_engagement, unsubscribe_address
from delivery.services.holdouts import delete_holdout, save_holdout, set_holdout
from delivery.services.preview import DraftView, render_draft, render_preview
from delivery.services.prices import expected_parts, price_of
from delivery.services.providers import (
    delete_provider,
    no_way_for,
    pause_provider,
    push_public_key,
    resume_provider,
    save_provider,
)
from delivery.services.queue import Outgoing, cancel, hold, queue, queue_selected, release
from delivery.services.queue_many import queue_sources
from delivery.services.rendering import Rendered
from delivery.services.reports import replay
from delivery.services.resolving import resolve_uncertain
from delivery.services.sending import send_due
from delivery.services.settings import (
    delete_limit,
    delete_sender,
    save_cap,
    save_policy,
    save_price,
    save_quiet_hours,
    save_sender,
)
from delivery.services.trying import TRIED_AT_AN_ADDRESS, try_provider
from delivery.services.withdrawing import withdraw_selected
from delivery.services.words import PreviewedMessage, preview_message, publish_message

__all__ = [
    "CHANNELS",
    "TRIED_AT_AN_ADDRESS",
    "DraftView",
    "Outgoing",
    "Parts",
    "PreviewedMessage",
    "Rendered",
    "Variant",
    "cancel",
    "check",
    "completed",
    "delete_holdout",
    "delete_limit",
    "delete_provider",
    "delete_sender",
    "expected_parts",
    "hold",
    "no_way_for",
    "pause_provider",
    "preview_message",
    "price_of",
    "publish_content",
    "publish_message",
    "push_public_key",
    "queue",
    "queue_selected",
    "queue_sources",
    "release",
    "render_draft",
    "render_preview",
    "replay",
    "resolve_uncertain",
    "resume_provider",
    "save_cap",
    "save_holdout",
    "save_policy",
    "save_price",
    "save_provider",
    "save_quiet_hours",
    "save_sender",
    "send_due",
    "set_holdout",
    "simulate_engagement",
    "try_provider",
    "unsubscribe_address",
    "vocabulary_of",
    "withdraw_selected",
]
