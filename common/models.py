"""Rows that carry the work itself: notices, their deliveries, and answers kept for repeated requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q

from common import clock, tenancy

if TYPE_CHECKING:
    from datetime import datetime


class WorkStatus(models.TextChoices):
    PENDING = "pending"
    CLAIMED = "claimed"
    DONE = "done"
    FAILED = "failed"


class WorkedRow(tenancy.OrganizationScoped):
    """A row somebody must work: claimed with a lease, fenced by its token (common.claims)."""

    status = models.CharField(max_length=20, choices=WorkStatus, default=WorkStatus.PENDING, db_default="pending")
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0)
    run_at = models.DateTimeField(default=clock.now)
    lease_token = models.UUIDField(null=True, editable=False)
    lease_expires_at = models.DateTimeField(null=True, editable=False)
    error = models.TextField(default="", db_default="", blank=True)

    class Meta:
        abstract = True


class OutboxNotice(tenancy.OrganizationScoped):
    """Something a room announced, written in the transaction that made it true."""

    kind = models.CharField(max_length=60)
    payload = models.JSONField()
    created_at = models.DateTimeField(default=clock.now)
    depth = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text="How many doings of our own led to it, one by the other."
    )

    def __str__(self) -> str:
        return f"{self.kind} #{self.pk}"


class NoticeDelivery(tenancy.OrganizationScoped):
    """One notice on its way to one subscriber; the transaction that handles it is its lease."""

    notice = models.ForeignKey(OutboxNotice, on_delete=models.CASCADE, related_name="deliveries", db_constraint=False)
    subscriber = models.CharField(max_length=100)
    status = models.CharField(max_length=20, choices=WorkStatus, default=WorkStatus.PENDING, db_default="pending")
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0)
    run_at = models.DateTimeField(default=clock.now)
    error = models.TextField(default="", db_default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["notice", "subscriber"], name="one_delivery_per_subscriber")]
        indexes = [
            models.Index(
                fields=["organization_id", "subscriber", "id"],
                condition=Q(status="pending"),
                name="pending_deliveries",
            )
        ]

    def __str__(self) -> str:
        return f"{self.subscriber} #{self.pk}"


class IdempotentAnswer(tenancy.OrganizationScoped):
    """The answer to a POST that carried an Idempotency-Key, so that a repeat is answered and not done again."""

    key = models.CharField(max_length=200)
    caller = models.CharField(max_length=100)
    request_hash = models.CharField(max_length=64)
    status_code = models.PositiveSmallIntegerField(null=True)
    body = models.JSONField(null=True)
    created_at: models.DateTimeField[datetime, datetime] = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization_id", "caller", "key"], name="one_answer_per_idempotency_key"
            )
        ]

    def __str__(self) -> str:
        return self.key
