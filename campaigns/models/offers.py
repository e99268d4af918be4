"""What a campaign offers."""

from __future__ import annotations

from django.db import models

from campaigns.models.campaigns import Campaign
from common.tenancy import OrganizationScoped


class OfferKind(models.TextChoices):
    DISCOUNT = "discount"
    CASHBACK = "cashback"
    POINTS = "points"
    BONUS = "bonus"


class Offer(OrganizationScoped):
    """What a campaign offers to its targets in client apps."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="offers")
    kind = models.CharField(max_length=10, choices=OfferKind)
    value = models.DecimalField(max_digits=12, decimal_places=2)
    unit = models.CharField(max_length=20, default="percent", help_text="percent, currency code or points")
    code = models.CharField(max_length=60, blank=True, default="")
    expires_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.value:g} {self.unit} {self.kind}"
