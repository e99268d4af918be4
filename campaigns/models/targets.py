"""Who is in a campaign, and how far they came."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from audience.models import Contact
from campaigns.models.campaigns import Campaign, CampaignRun
from common import clock
from common.tenancy import OrganizationScoped
from experiments.models import Arm


class TargetStatus(models.TextChoices):
    ELIGIBLE = "eligible"
    VIEWED = "viewed"
    CONVERTED = "converted"
    EXPIRED = "expired"  # its offer ended before it was taken


class TimedBy(models.TextChoices):
    """What the moment of a contact's message was chosen from."""

    NOTHING = "", "Not chosen for the contact"
    OWN = "own", "When the contact usually reads"
    ORGANIZATION = "organization", "When your contacts usually read"
    FALLBACK = "fallback", "Nothing is known yet"


class Target(OrganizationScoped):
    """A contact in a campaign; in one that goes out again and again, in one of its sends (`occurrence`)."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="targets", db_constraint=False)
    run = models.ForeignKey(
        CampaignRun, null=True, on_delete=models.CASCADE, related_name="targets", db_constraint=False
    )
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="targets", db_constraint=False)
    status = models.CharField(
        max_length=10, choices=TargetStatus, default=TargetStatus.ELIGIBLE, db_default="eligible"
    )
    occurrence = models.PositiveIntegerField(default=0, db_default=0, help_text="0 for what goes out once.")
    arm = models.ForeignKey(
        Arm, null=True, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    send_at = models.DateTimeField(null=True, help_text="By the contact's own clock or habit; empty: in turn.")
    timed_by = models.CharField(max_length=12, choices=TimedBy, blank=True, default="", db_default="")
    is_held_out = models.BooleanField(
        default=False, db_default=False, help_text="Drawn by chance: offered and sent nothing, so the effect shows."
    )
    favourite = models.CharField(
        max_length=200, blank=True, default="", db_default="", help_text="The category that the offer is about."
    )
    created_at = models.DateTimeField(default=clock.now)
    viewed_at = models.DateTimeField(null=True)
    converted_at = models.DateTimeField(null=True)
    conversion_value_minor = models.BigIntegerField(null=True)
    conversion_currency = models.CharField(max_length=3, blank=True, default="", db_default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign", "contact", "occurrence"], name="one_target_per_contact")
        ]
        indexes = [
            models.Index(fields=["organization_id", "run", "id"], name="target_by_run"),
            models.Index(fields=["organization_id", "contact"], condition=~Q(status="converted"), name="target_open"),
            models.Index(fields=["organization_id", "arm"], condition=Q(arm__isnull=False), name="target_by_arm"),
        ]

    def __str__(self) -> str:
        return f"{self.contact_id} in {self.campaign_id}"
