"""What means what here, when patterns and suggestions were computed, and what was found."""

from __future__ import annotations

from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from common import clock
from common.models import WorkStatus
from common.tenancy import OrganizationScoped


class PatternSettings(OrganizationScoped):
    """Which event is a purchase and where its money, products and places stand. What is empty is detected."""

    purchase_event = models.CharField(
        max_length=200, blank=True, default="", help_text="The event that means a purchase, such as order_completed."
    )
    money_property = models.CharField(
        max_length=200, blank=True, default="", help_text="Its property with the amount of money, such as total."
    )
    lines_property = models.CharField(
        max_length=200,
        blank=True,
        default="",
        help_text="Its property with the list of things bought, such as lines; empty when the event is one thing.",
    )
    product_property = models.CharField(
        max_length=200, blank=True, default="", help_text="The product's name: in each line, or on the event itself."
    )
    category_property = models.CharField(
        max_length=200, blank=True, default="", help_text="The category: in each line, or on the event itself."
    )
    location_field = models.CharField(
        max_length=120, blank=True, default="", help_text="The field of a contact that says where, such as city."
    )
    goal_event = models.CharField(
        max_length=200,
        blank=True,
        default="",
        help_text="What suggestions compare people by: who did it and who did not. Empty: the purchase.",
    )
    window_days = models.PositiveSmallIntegerField(
        default=90,
        validators=[MinValueValidator(7), MaxValueValidator(365)],
        help_text="How many days back the patterns look, 7 to 365.",
    )
    top_percent = models.PositiveSmallIntegerField(
        default=10,
        validators=[MinValueValidator(1), MaxValueValidator(50)],
        help_text="How many of a hundred buyers count as high spenders or frequent shoppers, 1 to 50.",
    )

    class Meta:
        verbose_name_plural = "pattern settings"
        constraints = [
            models.UniqueConstraint(fields=["organization_id"], name="one_pattern_settings_per_organization")
        ]

    def __str__(self) -> str:
        return "Pattern settings"


class SegmentFigures(OrganizationScoped):
    """What the members of a segment bought in the patterns' window, as the last analysis counted it."""

    segment = models.OneToOneField("segments.Segment", on_delete=models.CASCADE, related_name="figures")
    buyer_count = models.PositiveIntegerField()
    transaction_count = models.BigIntegerField()
    spent_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    window_days = models.PositiveSmallIntegerField()
    counted_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"figures of {self.segment_id}"


class AnalysisKind(models.TextChoices):
    PATTERNS = "patterns"
    SUGGESTIONS = "suggestions"


class Analysis(OrganizationScoped):
    """A computation over all contacts: asked for, done, or failed. The findings of the last one stand meanwhile."""

    kind = models.CharField(max_length=12, choices=AnalysisKind)
    status = models.CharField(max_length=10, choices=WorkStatus, default=WorkStatus.PENDING)
    run_at = models.DateTimeField(default=clock.now, help_text="When it was asked for.")
    computed_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True, default="")
    summary: models.JSONField[Any, Any] = models.JSONField(
        default=dict, help_text="What the findings rest on: settings, counts, grid, and what is missing and why."
    )

    class Meta:
        verbose_name_plural = "analyses"
        constraints = [
            models.UniqueConstraint(fields=["organization_id", "kind"], name="one_analysis_per_kind"),
        ]
        indexes = [
            models.Index(fields=["organization_id"], condition=Q(status="pending"), name="analyses_to_run"),
        ]

    def __str__(self) -> str:
        return f"Analysis of {self.kind}"


class Finding(OrganizationScoped):
    """A group of people worth a segment: its rule, how many they are, and why it is drawn where it is drawn."""

    analysis = models.ForeignKey(Analysis, on_delete=models.CASCADE, related_name="findings")
    key = models.CharField(max_length=80, help_text="Stays the same from one computation to the next.")
    group = models.CharField(max_length=40)
    title = models.CharField(max_length=200)
    reason = models.TextField(help_text="Where the threshold comes from, in words.")
    rule: models.JSONField[Any, Any] = models.JSONField(
        null=True, help_text="Null where no rule can say it: the draft is then a list of today's people."
    )
    size = models.BigIntegerField()
    position = models.PositiveSmallIntegerField()
    evidence: models.JSONField[Any, Any] = models.JSONField(default=dict, help_text="The figures behind it.")
    segment = models.ForeignKey(
        "segments.Segment", null=True, on_delete=models.SET_NULL, related_name="+", help_text="The draft made of it."
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["analysis", "key"], name="one_finding_per_key")]

    def __str__(self) -> str:
        return self.title
