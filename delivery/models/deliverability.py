"""What a sending domain may do today, how it stands, and what its zone says."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q

from common import clock
from common.tenancy import OrganizationScoped


class SendingDomain(OrganizationScoped):
    """A domain that our e-mail comes from: its warm-up, and what was last found in its DNS zone."""

    name = models.CharField(max_length=253)
    tier = models.PositiveSmallIntegerField(null=True, help_text="Step of the warm-up; empty: no limit a day.")
    tier_since = models.DateTimeField(null=True)
    tier_reason = models.CharField(max_length=400, blank=True, default="")
    goal_per_day = models.PositiveIntegerField(default=0)
    warmup_started_at = models.DateTimeField(null=True)
    judged_on = models.DateField(null=True, help_text="The last day on which the warm-up was judged.")
    signs = models.BooleanField(default=False, help_text="We sign its mail with our own DKIM key.")
    relay_selector = models.CharField(
        max_length=63, blank=True, default="", help_text="The DKIM selector that the relay signs with."
    )
    report: models.JSONField[Any, Any] = models.JSONField(default=list)
    report_status = models.CharField(max_length=10, blank=True, default="")
    checked_at = models.DateTimeField(null=True)
    broken: models.JSONField[Any, Any] = models.JSONField(
        default=list, help_text="Checks that passed before and fail now."
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization_id", "name"], name="one_row_per_sending_domain")]

    def __str__(self) -> str:
        return self.name


class DkimKey(OrganizationScoped):
    """The key pair that signs a domain's mail; the private half is encrypted with the site's secret."""

    domain = models.ForeignKey(SendingDomain, on_delete=models.CASCADE, related_name="keys", db_constraint=False)
    selector = models.CharField(max_length=63)
    secret = models.TextField(editable=False)
    public_key = models.TextField()
    created_at = models.DateTimeField(default=clock.now)
    verified_at = models.DateTimeField(null=True, help_text="When the record in the zone was seen to match.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization_id", "domain"], name="one_dkim_key_per_domain"),
        ]

    def __str__(self) -> str:
        return f"{self.selector}._domainkey.{self.domain}"


class LaneDay(OrganizationScoped):
    """What a sending domain sent to one mailbox provider on one day (provider "": all together)."""

    domain = models.ForeignKey(SendingDomain, on_delete=models.CASCADE, related_name="lanes", db_constraint=False)
    provider = models.CharField(max_length=20, blank=True, default="")
    day = models.DateField()
    used = models.PositiveIntegerField(default=0, db_default=0)
    minute = models.DateTimeField(null=True)
    minute_used = models.PositiveIntegerField(default=0, db_default=0)
    booked = models.PositiveIntegerField(default=0, db_default=0, help_text="Waiting mails with a place on this day.")
    booked_until = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization_id", "domain", "provider", "day"], name="one_row_per_lane_and_day"
            )
        ]

    def __str__(self) -> str:
        return f"{self.domain_id} {self.provider} {self.day}"


class SlowLane(OrganizationScoped):
    """A mailbox provider that puts off our mail: it gets fewer a day until it takes them again."""

    domain = models.ForeignKey(
        SendingDomain, on_delete=models.CASCADE, related_name="slow_lanes", db_constraint=False
    )
    provider = models.CharField(max_length=20)
    reduction = models.PositiveSmallIntegerField()
    reason = models.CharField(max_length=300)
    since = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization_id", "domain", "provider"], name="one_slow_lane_per_provider"
            )
        ]

    def __str__(self) -> str:
        return f"{self.domain_id} {self.provider} −{self.reduction}"


class PauseScope(models.TextChoices):
    DOMAIN = "domain", "Sending domain"
    CAMPAIGN = "campaign", "Campaign"


class SendingPause(OrganizationScoped):
    """Marketing that was stopped because too much came back, and how it went on."""

    scope = models.CharField(max_length=10, choices=PauseScope)
    target = models.CharField(max_length=253, help_text="The domain's name, or the campaign's number.")
    measure = models.CharField(max_length=20)
    sent = models.PositiveIntegerField()
    bad = models.PositiveIntegerField()
    reason = models.CharField(max_length=300)
    paused_at = models.DateTimeField(default=clock.now)
    resumed_at = models.DateTimeField(null=True)
    resumed_by = models.CharField(max_length=200, blank=True, default="")
    resumed_because = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization_id", "scope", "target"],
                condition=Q(resumed_at__isnull=True),
                name="one_pause_per_target",
            )
        ]

    def __str__(self) -> str:
        return f"Pause of {self.target}"


class MailboxDomain(OrganizationScoped):
    """Whose mail servers a recipient domain uses, as its MX said."""

    name = models.CharField(max_length=253)
    provider = models.CharField(max_length=20)
    looked_up_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization_id", "name"], name="one_row_per_mailbox_domain")]

    def __str__(self) -> str:
        return self.name


class ReputationCheck(OrganizationScoped):
    """When an organisation's numbers are looked at next. One row an organisation."""

    due_at = models.DateTimeField(null=True)
    looked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization_id"], name="one_reputation_check")]
        indexes = [models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="reputation_checks_due")]

    def __str__(self) -> str:
        return "Reputation check"
