"""An organisation's limits."""

from __future__ import annotations

from django.db import models

from common.tenancy import OrganizationScoped


class DeliveryPolicy(OrganizationScoped):
    """An organisation's limits for marketing messages. One row per organisation; absent means the defaults."""

    most_per_day = models.PositiveSmallIntegerField(default=2)
    hours_between = models.PositiveSmallIntegerField(default=8)
    quiet_from = models.TimeField(default="21:00", help_text="In the contact's own time zone.")
    quiet_until = models.TimeField(default="08:00")
    requires_consent = models.BooleanField(default=True)

    class Meta:
        verbose_name_plural = "delivery policies"
        constraints = [models.UniqueConstraint(fields=["organization_id"], name="one_policy_per_organization")]

    def __str__(self) -> str:
        return "Delivery policy"
