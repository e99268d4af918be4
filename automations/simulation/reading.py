"""What a message of a workflow would say to one contact: the words that would go, by the one preview of messages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from audience.models import Contact, Event, MessageChannel
from automations.domain import tree
from automations.simulation.flow import Flow, settings_of
from campaigns import services as campaigns
from campaigns.models import EmailTemplate
from common.errors import NotFound
from delivery import services as delivery
from delivery.models import Content


@dataclass(frozen=True)
class Written:
    """A message as the contact would read it: `mail` or, of another channel, `other`. `is_draft`: the template was
    never published, so these are the words of its draft."""

    template: EmailTemplate
    mail: delivery.Rendered | None
    other: delivery.PreviewedMessage | None
    is_draft: bool


def written(flow: Flow, step_id: str, contact: Contact, at: datetime) -> Written:
    """What the step would write to a contact who entered at `at`, with the properties of the last event that the
    trigger heard until then. Raises `NotFound` for a step that writes nothing, `Invalid` with the sentence that the
    ledger would show, such as for a value that the contact lacks."""
    step = next((step for step in tree.walk(flow.steps) if step.id == step_id), None)
    settings = settings_of(step) if step is not None and step.type.startswith("send_") else None
    template = EmailTemplate.objects.filter(pk=getattr(settings, "template_id", 0)).first()
    if template is None:
        raise NotFound("This step writes no message, or its template is gone.")
    said = _said(flow, contact, at) if getattr(settings, "personalize", False) else {}
    subject = getattr(settings, "subject", "")
    is_draft = template.published is None
    if template.channel == MessageChannel.EMAIL:
        return Written(template, _mail(template, subject, contact, said), None, is_draft)
    return Written(template, None, _other(template, contact, said), is_draft)


def _mail(template: EmailTemplate, subject: str, contact: Contact, said: Mapping[str, Any]) -> delivery.Rendered:
    """With the step's subject, if it has one; nothing of it is saved."""
    words = template if template.published is None else Content.objects.get(pk=template.published.content_id)
    words.subject = subject or words.subject
    if isinstance(words, Content):
        return delivery.render_preview(words, contact, said)
    return campaigns.preview_template(words, contact)


def _other(template: EmailTemplate, contact: Contact, said: Mapping[str, Any]) -> delivery.PreviewedMessage:
    if template.published is None:
        return campaigns.preview_message(template, contact)
    words = Content.objects.get(pk=template.published.content_id)
    return delivery.preview_message(words.kind, words.channel, words.fields, words.defaults, contact, said)


def _said(flow: Flow, contact: Contact, at: datetime) -> Mapping[str, Any]:
    """The variable `event`, as the step would have it."""
    if not flow.trigger_key.startswith("event:"):
        return {}
    heard = Event.objects.filter(
        contact_id=contact.pk, definition__name=flow.trigger_key.removeprefix("event:"), happened_at__lte=at
    )
    last = heard.order_by("-happened_at").values_list("properties", flat=True).first()
    return {"event": last or {}}
