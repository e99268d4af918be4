"""What may have helped, what came of it, what it cost, and who is credited."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q

from attribution.domain.channels import LABELS, Channel
from attribution.domain.models import attribution_models
from audience.models import Contact
from campaigns.models import Campaign
from common import clock
from common.models import WorkStatus
from common.tenancy import OrganizationScoped
from delivery.models import Message

CHANNELS = [(channel.value, LABELS[channel]) for channel in Channel]
MODELS = [(name, model.label) for name, model in attribution_models.items()]


class TouchpointKind(models.TextChoices):
    CLICK = "click", "Click in a message"
    VISIT = "visit", "Visit"
    REFERRAL = "referral", "Invitation"
    OFFLINE = "offline", "Offline"


class Touchpoint(OrganizationScoped):
    """A contact's meeting with our marketing that may have helped. At most one per event."""

    contact = models.ForeignKey(
        Contact, on_delete=models.CASCADE, related_name="touchpoints", db_constraint=False, db_index=False
    )
    kind = models.CharField(max_length=10, choices=TouchpointKind)
    channel = models.CharField(max_length=20, choices=CHANNELS)
    source = models.CharField(max_length=200, blank=True, default="", db_default="")
    medium = models.CharField(max_length=200, blank=True, default="", db_default="")
    campaign = models.ForeignKey(
        Campaign,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="touchpoints",
        db_constraint=False,
        db_index=False,
    )
    campaign_name = models.CharField(max_length=200, blank=True, default="", db_default="")
    message = models.ForeignKey(
        Message, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_constraint=False
    )
    event_id = models.BigIntegerField(null=True, blank=True, editable=False)
    happened_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization_id", "event_id"], name="one_touchpoint_per_event")
        ]
        indexes = [
            models.Index(fields=["organization_id", "contact", "happened_at"], name="touchpoint_path"),
            models.Index(fields=["organization_id", "campaign", "happened_at"], name="touchpoint_by_campaign"),
        ]

    def __str__(self) -> str:
        return " · ".join(part for part in (self.get_channel_display(), self.source, self.campaign_name) if part)


class Goal(OrganizationScoped):
    """An event that we want to happen; each one is a conversion."""

    name = models.CharField(max_length=100)
    event_name = models.CharField(max_length=200, help_text='"Order Completed" and order_completed are the same.')
    where: models.JSONField[Any, Any] = models.JSONField(
        null=True,
        blank=True,
        help_text='Only events with these properties: [{"property": "plan", "operator": "equals", "value": "pro"}]',
    )
    refund_event_name = models.CharField(
        max_length=200, blank=True, default="", help_text="An event that takes money back; negative values do so too."
    )
    look_back_days = models.PositiveSmallIntegerField(
        default=30, help_text="How long before a conversion a touchpoint may still be credited."
    )
    counts_as_revenue = models.BooleanField(
        default=False,
        help_text="Its value is part of revenue and ROI. Two goals on the same event would count twice.",
    )
    is_active = models.BooleanField(default=True)
    is_scanned = models.BooleanField(
        default=False, db_default=False, editable=False, help_text="The events of before it existed are counted."
    )
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization_id", "name"], name="one_goal_per_name")]

    def __str__(self) -> str:
        return self.name


class Conversion(OrganizationScoped):
    """An event that met a goal. `status` pending: its credits are to be drawn (again)."""

    goal = models.ForeignKey(Goal, on_delete=models.CASCADE, related_name="conversions", db_constraint=False)
    contact = models.ForeignKey(
        Contact, on_delete=models.CASCADE, related_name="conversions", db_constraint=False, db_index=False
    )
    event_id = models.BigIntegerField(editable=False)
    value_minor = models.BigIntegerField(default=0, help_text="As ordered, in minor units.")
    refunded_minor = models.BigIntegerField(default=0, db_default=0)
    currency = models.CharField(max_length=3)
    order_id = models.CharField(max_length=200, blank=True, default="", db_default="")
    happened_at = models.DateTimeField()
    status = models.CharField(max_length=10, choices=WorkStatus, default=WorkStatus.PENDING, db_default="pending")
    run_at = models.DateTimeField(default=clock.now, help_text="Since when its credits are to be drawn.")
    credited_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization_id", "goal", "event_id"], name="one_conversion_per_event")
        ]
        indexes = [
            models.Index(fields=["organization_id", "contact", "happened_at"], name="conversion_by_contact"),
            models.Index(fields=["organization_id", "happened_at"], name="conversion_by_time"),
            models.Index(fields=["organization_id", "id"], condition=Q(status="pending"), name="pending_conversions"),
        ]

    def __str__(self) -> str:
        return self.order_id or f"conversion {self.pk}"

    @property
    def net_minor(self) -> int:
        """What is left after refunds."""
        return self.value_minor - self.refunded_minor


class Refund(OrganizationScoped):
    """Money given back by an event; `domain.refunds` says which conversion it is taken from."""

    goal = models.ForeignKey(Goal, on_delete=models.CASCADE, related_name="refunds", db_constraint=False)
    contact = models.ForeignKey(
        Contact, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    event_id = models.BigIntegerField()
    value_minor = models.BigIntegerField(null=True, help_text="Empty: the whole order.")
    currency = models.CharField(max_length=3)
    order_id = models.CharField(max_length=200, blank=True, default="", db_default="")
    happened_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization_id", "goal", "event_id"], name="one_refund_per_event")
        ]
        indexes = [models.Index(fields=["organization_id", "contact"], name="refund_by_contact")]

    def __str__(self) -> str:
        return self.order_id or f"refund {self.pk}"


class Credit(OrganizationScoped):
    """The part of a conversion that a touchpoint earned in one attribution model."""

    conversion = models.ForeignKey(Conversion, on_delete=models.CASCADE, related_name="credits", db_index=False)
    touchpoint = models.ForeignKey(Touchpoint, on_delete=models.CASCADE, related_name="credits")
    model = models.CharField(max_length=20, choices=MODELS)
    amount_minor = models.BigIntegerField()
    share = models.FloatField(help_text="Its part of the conversion itself, 0 to 1.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["conversion", "model", "touchpoint"], name="one_credit_per_touchpoint")
        ]

    def __str__(self) -> str:
        return f"{self.model} {self.amount_minor}"


class Cost(OrganizationScoped):
    """What a campaign or a channel cost on one day."""

    day = models.DateField()
    campaign = models.ForeignKey(
        Campaign, null=True, blank=True, on_delete=models.CASCADE, related_name="costs", db_constraint=False
    )
    channel = models.CharField(max_length=20, choices=CHANNELS, blank=True, default="")
    amount_minor = models.BigIntegerField(help_text="In minor units, e.g. pence.")
    currency = models.CharField(max_length=3)
    note = models.CharField(max_length=200, blank=True, default="")
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization_id", "day", "campaign", "channel", "currency"],
                name="one_cost_per_day",
                nulls_distinct=False,
            ),
            models.CheckConstraint(condition=Q(amount_minor__gte=0), name="cost_is_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.campaign or self.get_channel_display() or 'Everything'} on {self.day}"
