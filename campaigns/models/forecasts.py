"""What was foreseen of a campaign, and what came."""

from __future__ import annotations

from typing import Any

from django.db import models

from audience.models import MessageChannel
from campaigns.models.campaigns import Campaign
from common import clock
from common.tenancy import OrganizationScoped
from delivery.models import MessageKind


class CampaignForecast(OrganizationScoped):
    """What was foreseen when a campaign was launched; never changed afterwards."""

    campaign = models.OneToOneField(Campaign, on_delete=models.CASCADE, related_name="forecast")
    reach = models.PositiveIntegerField()
    figures: models.JSONField[Any, Any] = models.JSONField(
        help_text="By metric: middle, low, high, lowest, highest. Money in minor units."
    )
    currency = models.CharField(max_length=3)
    basis_count = models.PositiveIntegerField(help_text="Comparable campaigns it was made from.")
    made_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return f"forecast of {self.campaign_id}"


class CampaignOutcome(OrganizationScoped):
    """What came of a campaign that sent or offered something: counted again and again until nothing changes."""

    campaign = models.OneToOneField(Campaign, on_delete=models.CASCADE, related_name="outcome")
    channel = models.CharField(max_length=10, choices=MessageChannel, blank=True, default="")
    kind = models.CharField(max_length=15, choices=MessageKind, blank=True, default="")
    has_offers = models.BooleanField(default=False)
    target_count = models.PositiveIntegerField(default=0)
    sent_count = models.PositiveIntegerField(default=0)
    open_count = models.PositiveIntegerField(default=0)
    click_count = models.PositiveIntegerField(default=0)
    conversion_count = models.PositiveIntegerField(
        default=0, help_text="Offers taken; without an offer, people who bought within a week after their click."
    )
    revenue_minor = models.BigIntegerField(default=0, help_text="… and what that brought.")
    revenue_squares = models.FloatField(default=0, help_text="Sum of squared amounts.")
    currency = models.CharField(max_length=3)
    began_at = models.DateTimeField()
    last_sent_at = models.DateTimeField(help_text="Of offers alone: when they were shown first.")
    counted_at = models.DateTimeField()
    is_final = models.BooleanField(default=False)

    class Meta:
        indexes = [
            models.Index(fields=["organization_id", "channel", "kind", "-last_sent_at"], name="outcomes_alike")
        ]

    def __str__(self) -> str:
        return f"outcome of {self.campaign_id}"
