"""What is wrong with a workflow, and who wants to be told."""

from __future__ import annotations

from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from accounts.models import Member
from automations.models.workflows import Automation
from common import clock
from common.tenancy import OrganizationScoped


class AlertKind(models.TextChoices):
    FAILING = "failing", "Fails often"
    STUCK = "stuck", "Stuck"
    LOOPING = "looping", "Loop guard struck"
    SILENT = "silent", "Nobody enters any more"


class Alert(OrganizationScoped):
    """Something that is wrong with a workflow, from when it was noticed to when it was over."""

    automation = models.ForeignKey(Automation, on_delete=models.CASCADE, related_name="alerts")
    kind = models.CharField(max_length=10, choices=AlertKind)
    sentence = models.CharField(max_length=300)
    opened_at = models.DateTimeField(default=clock.now)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["automation", "kind"], condition=Q(closed_at=None), name="one_open_alert_per_kind"
            )
        ]
        indexes = [models.Index(fields=["organization_id", "-opened_at"], name="alerts_by_time")]

    def __str__(self) -> str:
        return self.sentence


class WatchSettings(OrganizationScoped):
    """When an organisation wants to be alerted, and how long it keeps step records."""

    failing_percent = models.DecimalField(
        max_digits=4, decimal_places=1, default=Decimal(5), validators=[MinValueValidator(0), MaxValueValidator(100)],
        help_text="Of a day's step tries that failed for good.",
    )  # fmt: skip
    stuck_seconds = models.PositiveIntegerField(
        default=300, validators=[MinValueValidator(10)], help_text="Due, and not moved for so long."
    )
    silent_days = models.PositiveSmallIntegerField(
        default=7, validators=[MinValueValidator(1), MaxValueValidator(365)],
        help_text="Nobody entered for so many days, though people did in the same span before.",
    )  # fmt: skip
    keep_days = models.PositiveIntegerField(
        "keep step records for days", null=True, blank=True, validators=[MinValueValidator(1)],
        help_text="Left empty they are kept for ever. Counts, funnels and versions outlive them.",
    )  # fmt: skip

    class Meta:
        verbose_name = verbose_name_plural = "alert settings"
        constraints = [models.UniqueConstraint(fields=["organization_id"], name="one_watch_settings")]

    def __str__(self) -> str:
        return "Alert settings"


class AlertReader(OrganizationScoped):
    """A colleague who wants to be told of alerts: in the admin, and by mail if they want."""

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="+")
    by_mail = models.BooleanField("also by mail", default=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["member"], name="one_alert_reader_per_member")]

    def __str__(self) -> str:
        return str(self.member)
