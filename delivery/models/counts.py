"""What left the house, counted: the page of mailbox providers reads these rows and never the ledger."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from common.tenancy import OrganizationScoped


class MailCount(OrganizationScoped):
    """E-mails by the quarter of an hour in which they left, their sender and the recipient's domain.

    Rows add up: each change of the ledger appends what it adds and takes away (triggers of migration
    0002_count_mails, in the same statement), `services.counting.fold` makes one row of many. So the sum is right at
    every moment, whoever wrote and in whatever order, and no writer waits for another.
    """

    left_at = models.DateTimeField(help_text="The quarter of an hour; every zone's day begins with one.")
    sender_id = models.BigIntegerField(null=True)
    recipient_domain = models.CharField(max_length=320)
    sent = models.IntegerField()
    delivered = models.IntegerField()
    deferred = models.IntegerField()
    bounced = models.IntegerField()
    complained = models.IntegerField()
    opened = models.IntegerField()
    clicked = models.IntegerField()
    is_folded = models.BooleanField(default=False, db_default=False)

    class Meta:
        indexes = [
            models.Index(fields=["organization_id", "left_at"], name="mail_counts_by_time"),
            models.Index(fields=["organization_id"], condition=Q(is_folded=False), name="mail_counts_to_fold"),
        ]

    def __str__(self) -> str:
        return f"{self.sent} to {self.recipient_domain} {self.left_at}"
