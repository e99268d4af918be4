"""What waits inside the customer's app."""

from __future__ import annotations

from django.db import models

from audience.models import Contact
from common import clock
from common.tenancy import OrganizationScoped
from delivery.models.messages import Message


class Placement(models.TextChoices):
    INBOX = "inbox", "Inbox entry"
    BANNER = "banner"
    MODAL = "modal"


class InboxMessage(OrganizationScoped):
    """An in-app message as its contact sees it, until it is dismissed or expires."""

    message = models.OneToOneField(Message, on_delete=models.CASCADE, related_name="in_app", db_constraint=False)
    contact = models.ForeignKey(
        Contact, on_delete=models.CASCADE, related_name="inbox", db_constraint=False, db_index=False
    )
    placement = models.CharField(max_length=10, choices=Placement)
    title = models.TextField()
    body = models.TextField(blank=True, default="")
    button = models.TextField(blank=True, default="")
    url = models.TextField(blank=True, default="")
    image = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField(null=True)
    clicked_at = models.DateTimeField(null=True)
    dismissed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["organization_id", "contact", "-id"], name="inbox_of_contact")]

    def __str__(self) -> str:
        return self.title
