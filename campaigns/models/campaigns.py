"""A broadcast or an offer: what it is, whom it addresses, and its executions."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from audience.models import Topic
from campaigns.models.templates import EmailTemplate
from common import clock
from common.models import WorkedRow
from common.tenancy import OrganizationScoped
from delivery.models import Content, Sender, Weight
from experiments.models import Arm, Experiment
from segments.models import Segment


class CampaignStatus(models.TextChoices):
    PROPOSED = "proposed"
    DRAFT = "draft"
    SCHEDULED = "scheduled"
    ACTIVE = "active"
    PAUSED = "paused"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    ARCHIVED = "archived"


class Timing(models.TextChoices):
    AT = "at", "Everybody at the same moment"
    LOCAL = "local", "At a time by each contact's clock"
    BEST = "best", "When each contact usually reads"
    RECURRING = "recurring", "Again and again"


class PassedZones(models.TextChoices):
    TOMORROW = "tomorrow", "at that time tomorrow"
    NOW = "now", "at once"


class CampaignOrigin(models.TextChoices):
    HAND = "", "By hand"
    AUTO = "auto", "By the nightly analysis"
    FILTER = "filter", "By a filter"


class Campaign(OrganizationScoped):
    """A broadcast to segments, or an offer shown to apps."""

    name = models.CharField(max_length=200)
    description = models.TextField(blank=True, default="")
    status = models.CharField(max_length=10, choices=CampaignStatus, default=CampaignStatus.DRAFT)
    template = models.ForeignKey(EmailTemplate, null=True, blank=True, on_delete=models.PROTECT)
    sender = models.ForeignKey(Sender, null=True, blank=True, on_delete=models.SET_NULL)
    topic = models.ForeignKey(Topic, null=True, blank=True, on_delete=models.SET_NULL)
    starts_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    timing = models.CharField(max_length=10, choices=Timing, default=Timing.AT, db_default="at")
    local_time = models.TimeField(
        "time of day", null=True, blank=True,
        help_text="By each contact's clock; for best times, that of contacts of whom nothing is known yet.",
    )  # fmt: skip
    passed_zones = models.CharField(
        "where it has passed today", max_length=10, choices=PassedZones, default=PassedZones.TOMORROW,
        db_default="tomorrow", help_text="When contacts get it whose clock is past that time at the start.",
    )  # fmt: skip
    recurrence: models.JSONField[Any, Any] = models.JSONField(
        blank=True, default=dict, db_default={}, help_text="How often; read by campaigns.domain.recurrence."
    )
    messages_per_minute = models.PositiveIntegerField(null=True, blank=True, help_text="Empty: as fast as possible.")
    weight = models.PositiveSmallIntegerField(
        "importance", choices=Weight, default=Weight.NORMAL, db_default=20,
        help_text="When caps leave room for one message, the more important one goes.",
    )  # fmt: skip
    shelf_hours = models.PositiveIntegerField(
        "keeps for hours", null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(8760)],
        help_text="Messages that have not gone by then are not sent; until then they wait for room under the caps.",
    )  # fmt: skip
    experiment = models.ForeignKey(
        Experiment, null=True, blank=True, on_delete=models.SET_NULL, related_name="campaigns",
        help_text="Its arms say what differs: the template, the offer or the time of day.",
    )  # fmt: skip
    test_percent = models.PositiveSmallIntegerField(
        "test on", null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(90)],
        help_text="Percent of the audience that get the arms first; the rest gets the winner. Empty: everybody.",
    )  # fmt: skip
    test_hours = models.PositiveSmallIntegerField(
        "hours until the rest follows", null=True, blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(336)],
        help_text="At the latest; sooner when the experiment's rule or a person names the winner.",
    )  # fmt: skip
    holdout_percent = models.DecimalField(
        "held out, percent", max_digits=4, decimal_places=1, default=Decimal(0), db_default=Decimal(0),
        validators=[MinValueValidator(0), MaxValueValidator(50)],
        help_text="Drawn by chance and sent nothing, so that the effect can be measured.",
    )  # fmt: skip
    cost_minor = models.BigIntegerField(default=0, help_text="What the campaign costs, in minor units.")
    message_cost_minor = models.DecimalField(
        "cost per message", max_digits=14, decimal_places=6, default=Decimal(0), db_default=Decimal(0),
        validators=[MinValueValidator(0)], help_text="In minor units; parts of one are possible.",
    )  # fmt: skip
    budget_minor = models.BigIntegerField(
        "budget", null=True, blank=True, validators=[MinValueValidator(1)],
        help_text="In minor units. Sending stops before it is passed; raise it to go on.",
    )  # fmt: skip
    utm_campaign = models.SlugField(
        "UTM campaign", blank=True, default="", help_text="Goes into every link; empty: the campaign's name."
    )
    origin = models.CharField(
        max_length=10, choices=CampaignOrigin, blank=True, default="", db_default="", editable=False
    )
    preset = models.ForeignKey(
        "campaigns.AutoPreset", null=True, editable=False, on_delete=models.SET_NULL, related_name="campaigns"
    )
    version = models.PositiveIntegerField(default=1, editable=False, help_text="Counts edits, to notice two at once.")
    created_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        indexes = [models.Index(fields=["organization_id", "status", "-id"], name="campaign_by_status")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_found(self) -> bool:
        """Its people were found and fixed at once; they do not come from segments."""
        return self.origin != CampaignOrigin.HAND


class CampaignAudience(OrganizationScoped):
    """A segment that a campaign goes to, or must leave out."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="audience")
    segment = models.ForeignKey(Segment, on_delete=models.PROTECT, related_name="campaign_audiences")
    is_excluded = models.BooleanField("leave out", default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "segment"], name="one_audience_per_segment")]

    def __str__(self) -> str:
        return f"{'not ' if self.is_excluded else ''}{self.segment}"


class RunStatus(models.TextChoices):
    PENDING = "pending"
    HELD = "held"  # its campaign is paused
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"  # given up after many attempts; `error` says why, resuming tries again


class CampaignRun(WorkedRow):
    """One execution of a campaign: the snapshot of its audience and how far the messages are."""

    status = models.CharField(max_length=20, choices=RunStatus, default=RunStatus.PENDING, db_default="pending")
    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="runs")
    content = models.ForeignKey(Content, null=True, on_delete=models.PROTECT)
    number = models.PositiveIntegerField(default=1, db_default=1, help_text="Which of a recurring campaign's sends.")
    planned_at = models.DateTimeField(null=True, help_text="When it was to begin.")
    snapshot_at = models.DateTimeField(null=True)
    target_count = models.PositiveIntegerField(default=0)
    queued_through_id = models.BigIntegerField(default=0, help_text="Targets up to this id have their messages.")
    queued_count = models.PositiveIntegerField(default=0, db_default=0, help_text="Messages written so far.")
    timed_by: models.JSONField[Any, Any] = models.JSONField(
        default=dict, db_default={}, help_text="Targets by what their moment was chosen from (Target.timed_by)."
    )
    test_through_id = models.BigIntegerField(
        default=0, db_default=0, help_text="Of a first test: targets up to this id are in it, the others wait."
    )
    test_count = models.PositiveIntegerField(default=0, db_default=0)
    test_ends_at = models.DateTimeField(null=True)
    winner = models.ForeignKey(
        Arm, null=True, on_delete=models.SET_NULL, related_name="+", help_text="What those without an arm get."
    )
    decided_at = models.DateTimeField(null=True)
    is_queued = models.BooleanField(default=False, help_text="Every target has its message, or needs none.")
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["campaign", "number"], condition=~Q(status="cancelled"), name="one_run_per_number"
            )
        ]
        indexes = [models.Index(fields=["run_at"], condition=Q(status="pending"), name="campaign_runs_due")]

    def __str__(self) -> str:
        return f"{self.campaign} run {self.pk}"

    @property
    def is_testing(self) -> bool:
        """Whether most of its people wait for the winner of a first test."""
        return self.test_through_id > 0 and self.decided_at is None


class RunArm(OrganizationScoped):
    """What an arm sends in a run, where that is not what the run sends."""

    run = models.ForeignKey(CampaignRun, on_delete=models.CASCADE, related_name="arms")
    arm = models.ForeignKey(Arm, on_delete=models.CASCADE, related_name="+")
    content = models.ForeignKey(Content, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "arm"], name="one_content_per_arm")]

    def __str__(self) -> str:
        return f"{self.arm} in {self.run}"
