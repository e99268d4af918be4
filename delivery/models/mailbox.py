"""What the built-in mailbox took."""

from __future__ import annotations

from django.db import models

from common import clock
from common.tenancy import OrganizationScoped


class MailboxMessage(OrganizationScoped):
    """A mail that the built-in mailbox took instead of a mail server."""

    sender = models.CharField(max_length=320)
    recipient = models.CharField(max_length=320)
    subject = models.TextField(blank=True, default="")
    body = models.BinaryField(help_text="The whole message as it came over SMTP.")
    size = models.PositiveIntegerField()
    received_at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [models.Index(fields=["organization_id", "-id"], name="mailbox_newest")]

    def __str__(self) -> str:
        return self.subject or "(no subject)"
