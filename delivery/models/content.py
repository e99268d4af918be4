"""What a message says."""

from __future__ import annotations

from typing import Any

from django.db import models

from audience.models import MessageChannel
from common import clock
from common.tenancy import OrganizationScoped


class MessageKind(models.TextChoices):
    MARKETING = "marketing"  # needs consent, counts against caps, may be held by quiet hours
    TRANSACTIONAL = "transactional"  # the contact asked for it; only suppression stops it
    NOTIFICATION = "notification"  # news of what they take part in; needs no yes, a no stops it; caps of its own


class Content(OrganizationScoped):
    """What a message says, compiled and never changed once published."""

    channel = models.CharField(max_length=10, choices=MessageChannel, default=MessageChannel.EMAIL)
    kind = models.CharField(max_length=15, choices=MessageKind, default=MessageKind.MARKETING)
    name = models.CharField(max_length=200)
    subject = models.TextField(blank=True, default="")
    preheader = models.TextField(blank=True, default="", help_text="What inboxes show beside the subject.")
    html = models.TextField(blank=True, default="")
    text = models.TextField(blank=True, default="")
    fields: models.JSONField[Any, Any] = models.JSONField(
        default=dict, db_default={}, help_text="What a message of another channel than e-mail says (domain.channels)."
    )
    defaults: models.JSONField[Any, Any] = models.JSONField(
        default=dict, help_text="Values for variables a contact lacks."
    )
    variables: models.JSONField[Any, Any] = models.JSONField(
        default=list, db_default=[], help_text="Names that every message of this content brings along."
    )
    variants: models.JSONField[Any, Any] = models.JSONField(
        default=dict, db_default={}, help_text='Other languages: {"de": {"subject", "preheader", "html", "text"}}.'
    )
    segments: models.JSONField[Any, Any] = models.JSONField(
        default=list, db_default=[], help_text="Ids of the segments by which it decides what to show."
    )
    checksum = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization_id", "checksum"], name="one_content_per_checksum")
        ]

    def __str__(self) -> str:
        return self.name
