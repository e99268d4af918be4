"""What sending costs."""

from __future__ import annotations

from decimal import Decimal

from django.core.validators import MinValueValidator
from django.db import models

from audience.models import MessageChannel
from common.tenancy import OrganizationScoped


class MessagePrice(OrganizationScoped):
    """What a message of a channel costs; of SMS each of the segments that its text takes."""

    channel = models.CharField(max_length=10, choices=MessageChannel)
    price_minor = models.DecimalField(
        max_digits=14, decimal_places=6, validators=[MinValueValidator(Decimal(0))],
        help_text="In minor units of the organisation's currency; parts of one are possible.",
    )  # fmt: skip

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization_id", "channel"], name="one_price_per_channel")]

    def __str__(self) -> str:
        return f"Price of {self.get_channel_display()}"
