"""What came back for messages."""

from __future__ import annotations

from django.db import models

from common import clock
from common.tenancy import OrganizationScoped
from delivery.models.messages import Message


class EngagementKind(models.TextChoices):
    OPEN = "open"
    CLICK = "click"
    UNSUBSCRIBE = "unsubscribe"
    BOUNCE = "bounce"
    COMPLAINT = "complaint"


class Engagement(OrganizationScoped):
    """What came back for a message."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="engagements", db_constraint=False)
    kind = models.CharField(max_length=12, choices=EngagementKind)
    url = models.TextField(blank=True, default="")
    place = models.PositiveSmallIntegerField(
        default=0,
        db_default=0,
        help_text="As the how manieth link to its address it stands in the mail; 0: not told.",
    )
    is_machine = models.BooleanField(default=False)
    signal = models.CharField(
        max_length=12, blank=True, default="", db_default="", help_text="By what a machine was known."
    )
    is_simulated = models.BooleanField(default=False, help_text="Drawn by the demo, not by a person.")
    user_agent = models.CharField(max_length=300, blank=True, default="")
    happened_at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [models.Index(fields=["organization_id", "message", "kind"], name="engagement_by_message")]

    def __str__(self) -> str:
        return f"{self.kind} {self.message_id}"
