"""What client apps queued while they were offline."""

from __future__ import annotations

from django.db import models

from audience.models import Contact
from common import clock
from common.tenancy import OrganizationScoped


class SyncKind(models.TextChoices):
    OPEN = "open"
    CLICK = "click"
    CONVERSION = "conversion"


class SyncOutcome(models.TextChoices):
    APPLIED = "applied"
    REPEATED = "repeated"  # the very item came before
    MERGED = "merged"  # we saw the same fact ourselves, or another item told it
    CONFLICT = "conflict"  # another fact stands; the reason says which
    REFUSED = "refused"  # it cannot be true


class SyncedItem(OrganizationScoped):
    """One item of a client's queue, and what was decided about it."""

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, db_constraint=False, related_name="+")
    client_id = models.CharField(max_length=100, help_text="The client's own id of the item.")
    kind = models.CharField(max_length=12, choices=SyncKind)
    message_id = models.BigIntegerField(null=True)
    happened_at = models.DateTimeField(help_text="By the client's clock, set right by when it sent the queue.")
    order_id = models.CharField(max_length=200, blank=True, default="")
    value_minor = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3, blank=True, default="")
    outcome = models.CharField(max_length=10, choices=SyncOutcome)
    reason = models.CharField(max_length=300, blank=True, default="")
    received_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization_id", "contact", "client_id"], name="one_item_per_client_id")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.client_id}"
