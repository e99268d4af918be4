"""What providers told us about messages: their requests as they came, and each thing said in them, once."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q

from common import clock
from common.models import WorkedRow
from common.tenancy import OrganizationScoped
from delivery.domain.reports import Finding, ReportKind
from delivery.models.messages import Message
from delivery.models.providers import Provider


class ProviderCall(WorkedRow):
    """One proven request of a provider, kept before it is read; the transaction that reads it is its lease."""

    account = models.ForeignKey(
        Provider, null=True, on_delete=models.SET_NULL, related_name="calls", db_constraint=False
    )
    kind = models.CharField(max_length=30, help_text="How to read it: the account's kind, or `bounce` for a mail.")
    content_type = models.CharField(max_length=200, blank=True, default="")
    headers: models.JSONField[Any, Any] = models.JSONField(default=dict, blank=True)
    body = models.BinaryField()
    digest = models.CharField(max_length=64, editable=False)
    received_at = models.DateTimeField(default=clock.now)
    report_count = models.PositiveIntegerField(default=0, db_default=0)

    class Meta:
        verbose_name = "provider's report"
        constraints = [
            models.UniqueConstraint(fields=["organization_id", "digest"], name="one_call_per_digest"),
        ]
        indexes = [
            models.Index(
                fields=["organization_id", "run_at", "id"], condition=Q(status="pending"), name="pending_calls"
            ),
            models.Index(fields=["organization_id", "received_at"], name="calls_by_age"),
        ]

    def __str__(self) -> str:
        return f"report {self.pk}"


class ProviderReport(OrganizationScoped):
    """One thing that a provider said. `message` is empty when it is about none of ours."""

    key = models.CharField(max_length=64, editable=False)
    account = models.ForeignKey(
        Provider, null=True, on_delete=models.SET_NULL, related_name="reports", db_constraint=False
    )
    message = models.ForeignKey(
        Message, null=True, on_delete=models.CASCADE, related_name="reports", db_constraint=False
    )
    kind = models.CharField(max_length=12, choices=[(kind.value, kind.value) for kind in ReportKind])
    finding = models.CharField(
        max_length=12, blank=True, default="", choices=[(each.value, each.value or "nothing") for each in Finding]
    )
    address = models.CharField(max_length=320, blank=True, default="")
    provider_message_id = models.CharField(max_length=200, blank=True, default="")
    url = models.TextField(blank=True, default="")
    user_agent = models.CharField(max_length=300, blank=True, default="")
    answer = models.TextField(blank=True, default="")
    happened_at = models.DateTimeField()
    received_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization_id", "key"], name="one_report_per_key")]
        indexes = [
            models.Index(fields=["organization_id", "message"], name="reports_by_message"),
            models.Index(fields=["organization_id", "received_at"], name="reports_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.message_id or ''}".strip()
