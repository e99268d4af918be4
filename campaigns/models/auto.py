"""Campaigns that propose themselves: their presets, the nightly cycles, and what each cycle found."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from campaigns.models.campaigns import Campaign
from campaigns.models.offers import OfferKind
from campaigns.models.templates import EmailTemplate
from common import clock
from common.models import WorkStatus
from common.tenancy import OrganizationScoped


class PresetKind(models.TextChoices):
    VIP_REWARDS = "vip_rewards", "VIP rewards"
    LOYALTY_BONUS = "loyalty_bonus", "Loyalty bonus"
    LOCATION_PROMO = "location_promo", "Location promo"
    RE_ENGAGEMENT = "re_engagement", "Re-engagement"
    WELCOME_BONUS = "welcome_bonus", "Welcome bonus"
    MILESTONE_REWARD = "milestone_reward", "Milestone reward"
    CATEGORY_FOCUS = "category_focus", "Category focus"


class ApprovalPolicy(models.TextChoices):
    PROPOSE = "propose", "Propose it to us"
    LAUNCH = "launch", "Launch by itself"
    OFF = "off", "Off"


class AutoPreset(OrganizationScoped):
    """Whom the nightly analysis looks for among recent customers, and what it offers them. Conditions are ANDed."""

    kind = models.CharField(max_length=20, choices=PresetKind, editable=False)
    name = models.CharField(max_length=120, help_text="The campaign is called this and the day.")
    policy = models.CharField(max_length=10, choices=ApprovalPolicy, default=ApprovalPolicy.PROPOSE)

    least_spent_minor = models.BigIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1)], help_text="Spent at least, in minor units."
    )
    least_transactions = models.PositiveIntegerField(null=True, blank=True, help_text="This many or more.")
    fewer_than_transactions = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(2)], help_text="Fewer than this many."
    )
    most_locations = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1)], help_text="Bought in one to this many places."
    )
    inactive_days = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1)], help_text="Bought nothing for so many days."
    )
    growth_percent = models.PositiveIntegerField(
        null=True, blank=True,
        help_text="Spent more in each third of the window than in the one before, by this many percent; 0: any more.",
    )  # fmt: skip
    least_people = models.PositiveIntegerField(
        default=5, validators=[MinValueValidator(1)], help_text="Fewer people wait until there are so many."
    )

    offer_kind = models.CharField(max_length=10, choices=OfferKind)
    offer_value = models.DecimalField(
        max_digits=12, decimal_places=2, validators=[MinValueValidator(Decimal("0.01"))]
    )
    offer_unit = models.CharField(max_length=20, help_text="percent, points_per_unit, points or a currency code")
    is_for_favourite = models.BooleanField(
        "for the favourite category", default=False, help_text="Each person's offer names the category they buy most."
    )
    duration_days = models.PositiveSmallIntegerField(validators=[MinValueValidator(1), MaxValueValidator(365)])
    holdout_percent = models.DecimalField(
        "held out, percent", max_digits=4, decimal_places=1, default=Decimal(10),
        validators=[MinValueValidator(0), MaxValueValidator(50)],
        help_text="Drawn by chance and offered nothing, so that the effect can be measured in money.",
    )  # fmt: skip
    template = models.ForeignKey(
        EmailTemplate, null=True, blank=True, on_delete=models.PROTECT, help_text="Empty: shown in apps only."
    )
    cooldown_days = models.PositiveSmallIntegerField(
        default=0, validators=[MaxValueValidator(365)],
        help_text="Nobody is in two campaigns of this preset at once; afterwards they rest for so many days.",
    )  # fmt: skip
    version = models.PositiveIntegerField(default=1, editable=False)
    updated_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        verbose_name = "automatic campaign"
        constraints = [models.UniqueConstraint(fields=["organization_id", "kind"], name="one_preset_per_kind")]

    def __str__(self) -> str:
        return self.name


class AnalysisCycle(OrganizationScoped):
    """One night's look at recent transactions: asked for, done or failed. Asked again it makes nothing twice."""

    day = models.DateField(help_text="The organisation's own date.")
    status = models.CharField(max_length=10, choices=WorkStatus, default=WorkStatus.PENDING)
    rounds = models.PositiveIntegerField(default=0, help_text="How many times it was computed.")
    run_at = models.DateTimeField(default=clock.now, help_text="When it was asked for.")
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True, default="")
    summary: models.JSONField[Any, Any] = models.JSONField(
        default=dict, help_text="What was read: auto.findings.Read"
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization_id", "day"], name="one_cycle_per_day")]
        indexes = [models.Index(fields=["organization_id"], condition=Q(status="pending"), name="cycles_to_run")]

    def __str__(self) -> str:
        return f"Analysis of {self.day:%-d %B %Y}"


class Outcome(models.TextChoices):
    MADE = "made", "Campaign made"
    NOBODY = "nobody", "Nobody found"
    WAITS = "waits", "Too few so far"
    MISSING = "missing", "Cannot be told"


class AutoFinding(OrganizationScoped):
    """What a cycle found for one preset, with the numbers that prove it, and the campaign that was made of it."""

    cycle = models.ForeignKey(AnalysisCycle, on_delete=models.CASCADE, related_name="findings")
    preset = models.ForeignKey(AutoPreset, on_delete=models.CASCADE, related_name="findings")
    campaign = models.OneToOneField(Campaign, null=True, on_delete=models.SET_NULL, related_name="finding")
    outcome = models.CharField(max_length=10, choices=Outcome)
    found_count = models.PositiveIntegerField(default=0, help_text="People who meet the conditions.")
    already_count = models.PositiveIntegerField(default=0, help_text="… of whom so many are in one already, or rest.")
    held_out_count = models.PositiveIntegerField(default=0, help_text="… of the others, drawn to be offered nothing.")
    spent_minor = models.BigIntegerField(default=0, help_text="What those who meet the conditions spent.")
    transaction_count = models.BigIntegerField(default=0)
    currency = models.CharField(max_length=3, blank=True, default="")
    sentence = models.TextField(help_text="The conditions as they were, in words.")
    reason = models.TextField(blank=True, default="", help_text="Why there is no campaign, or why it was declined.")
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["cycle", "preset"], name="one_finding_per_preset")]

    def __str__(self) -> str:
        return f"{self.preset} of {self.cycle}"

    @property
    def target_count(self) -> int:
        """Who stands in the campaign, held out or not."""
        return self.found_count - self.already_count
