"""Experiments: the question, its arms, who got which, and the sums that answer it."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from audience.models import Contact
from common import clock
from common.tenancy import OrganizationScoped

ZERO_TO_ONE = [MinValueValidator(0), MaxValueValidator(1)]


class ExperimentStatus(models.TextChoices):
    DRAFT = "draft"
    RUNNING = "running"
    STOPPED = "stopped"
    ARCHIVED = "archived"


class Unit(models.TextChoices):
    """What is hashed: our number of the contact, or the id under which apps know somebody."""

    CONTACT = "contact", "Contact (mails, journeys)"
    USER = "user", "User ID (apps and their SDKs)"


class Allocation(models.TextChoices):
    FIXED = "fixed", "Fixed shares"
    BANDIT = "bandit", "Bandit: more people to what works"


class ExperimentSource(models.TextChoices):
    NONE = "", "On its own"
    CAMPAIGN = "campaign"
    AUTOMATION = "automation"


class Experiment(OrganizationScoped):
    """One question with two or more arms. domain.metrics and domain.winners parse `metrics` and `winner_rule`."""

    name = models.CharField(max_length=200)
    key = models.SlugField(
        max_length=100, help_text="How apps and their SDKs name it; it cannot change once it runs."
    )
    hypothesis = models.TextField(
        blank=True, default="", help_text="What you change, what you expect of it, and why: one or two sentences."
    )
    status = models.CharField(max_length=10, choices=ExperimentStatus, default=ExperimentStatus.DRAFT, editable=False)
    unit = models.CharField("drawn by", max_length=10, choices=Unit, default=Unit.CONTACT)
    seed = models.CharField(
        max_length=100, blank=True, default="", help_text="What the draw is mixed with; empty: the key."
    )
    namespace = models.CharField(
        max_length=100, blank=True, default="",
        help_text="Experiments with the same word share people out among them: nobody is in two of them.",
    )  # fmt: skip
    namespace_start = models.FloatField("from", default=0.0, validators=ZERO_TO_ONE)
    namespace_end = models.FloatField("to", default=1.0, validators=ZERO_TO_ONE)
    coverage = models.FloatField(
        default=1.0, validators=ZERO_TO_ONE, help_text="The share of everybody who takes part, from 0 to 1."
    )
    allocation = models.CharField("shares", max_length=10, choices=Allocation, default=Allocation.FIXED)
    metrics: models.JSONField[Any, Any] = models.JSONField(default=list, blank=True)
    listens_to: ArrayField[Any, Any] = ArrayField(
        models.CharField(max_length=200), default=list, editable=False, help_text="Events that its metrics count."
    )
    winner_rule: models.JSONField[Any, Any] = models.JSONField(default=dict, blank=True)
    winner = models.ForeignKey(
        "Arm", null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )
    source_type = models.CharField(
        max_length=12, choices=ExperimentSource, blank=True, default="", db_default="", editable=False
    )
    source_id = models.BigIntegerField(default=0, db_default=0, editable=False)
    epoch = models.PositiveIntegerField(
        default=0, db_default=0, editable=False, help_text="Counts changes of shares."
    )
    started_at = models.DateTimeField(null=True, blank=True, editable=False)
    stopped_at = models.DateTimeField(null=True, blank=True, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False, help_text="Counts edits, to notice two at once.")
    created_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization_id", "key"], name="one_experiment_per_key")]
        indexes = [
            models.Index(fields=["organization_id", "status", "-id"], name="experiment_by_status"),
            models.Index(
                fields=["organization_id", "source_type", "source_id"], condition=~Q(source_type=""),
                name="experiment_by_source",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.name


class Arm(OrganizationScoped):
    """One of the things that are compared."""

    experiment = models.ForeignKey(Experiment, on_delete=models.CASCADE, related_name="arms")
    key = models.SlugField(max_length=60)
    name = models.CharField(max_length=200)
    weight = models.FloatField(
        default=1.0, validators=[MinValueValidator(0)], help_text="Its part of the people: 1 and 1 are halves."
    )
    is_control = models.BooleanField("control", default=False, help_text="What the others are compared with.")
    position = models.PositiveSmallIntegerField(default=0)
    payload: models.JSONField[Any, Any] = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["experiment", "position"]
        constraints = [
            models.UniqueConstraint(fields=["experiment", "key"], name="one_arm_per_key"),
            models.UniqueConstraint(fields=["experiment", "position"], name="one_arm_per_position"),
        ]

    def __str__(self) -> str:
        return self.name


class Problem(models.TextChoices):
    """Why an assignment is not what it should be. Those with `outside` and `both` are not counted."""

    NONE = "", "None"
    DISAGREES = "disagrees", "The app showed another arm than was drawn"
    UNVERIFIED = "unverified", "Drawn by the app: the contact has no user ID"
    OUTSIDE = "outside", "The app showed it to somebody who was not to take part"
    BOTH = "both", "Saw two arms (contacts that turned out to be one person)"


class Assignment(OrganizationScoped):
    """Who got which arm, with which chance, and when they first met it. An arm once given stays."""

    experiment = models.ForeignKey(
        Experiment, on_delete=models.CASCADE, related_name="assignments", db_constraint=False
    )
    contact = models.ForeignKey(Contact, on_delete=models.DO_NOTHING, related_name="assignments", db_constraint=False)
    arm = models.ForeignKey(Arm, on_delete=models.CASCADE, related_name="assignments", db_constraint=False)
    propensity = models.FloatField(help_text="The chance of this arm when it was drawn, of those who take part.")
    epoch = models.PositiveIntegerField(default=0, db_default=0, help_text="Which shares were in force.")
    assigned_at = models.DateTimeField(default=clock.now)
    exposed_at = models.DateTimeField(null=True, help_text="When they first met the arm.")
    problem = models.CharField(max_length=10, choices=Problem, blank=True, default="", db_default="")
    reported = models.CharField(
        max_length=60, blank=True, default="", db_default="", help_text="The arm an app told."
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["experiment", "contact"], name="one_arm_per_contact")]
        indexes = [
            models.Index(fields=["organization_id", "contact"], name="assignment_by_contact"),
            models.Index(fields=["organization_id", "arm", "-id"], name="assignment_by_arm"),
            models.Index(
                fields=["organization_id", "experiment", "problem"], condition=~Q(problem=""),
                name="assignment_problems",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.contact_id} in {self.arm_id}"


class Allotment(OrganizationScoped):
    """The shares of the arms from one moment on: what a bandit decided, and from which results."""

    experiment = models.ForeignKey(Experiment, on_delete=models.CASCADE, related_name="allotments")
    epoch = models.PositiveIntegerField()
    shares: models.JSONField[Any, Any] = models.JSONField(help_text="Arm key → share; they add up to 1.")
    reason = models.CharField(max_length=300)
    decided_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["experiment", "epoch"], name="one_allotment_per_epoch")]

    def __str__(self) -> str:
        return f"{self.experiment_id}, shares {self.epoch}"


def _sum() -> models.DecimalField[Any, Any]:
    """Exact, so that a delta taken away again leaves nothing behind."""
    return models.DecimalField(max_digits=40, decimal_places=6, default=0, db_default=0)


class MetricDaily(OrganizationScoped):
    """Sums over an arm's people by the day they were first exposed: all that a read-out reads."""

    experiment = models.ForeignKey(Experiment, on_delete=models.CASCADE, related_name="sums", db_constraint=False)
    arm = models.ForeignKey(Arm, on_delete=models.CASCADE, related_name="sums", db_constraint=False)
    metric = models.CharField(max_length=60, help_text="The key of the metric; empty: people.", blank=True)
    epoch = models.PositiveIntegerField(default=0, db_default=0)
    day = models.DateField()
    n = models.BigIntegerField(default=0, db_default=0)
    y = _sum()
    yy = _sum()
    x = _sum()
    xx = _sum()
    xy = _sum()

    class Meta:
        verbose_name = "daily sum"
        constraints = [
            models.UniqueConstraint(fields=["experiment", "metric", "arm", "epoch", "day"], name="one_sum_per_day")
        ]

    def __str__(self) -> str:
        return f"{self.metric} of {self.arm_id} on {self.day}"


class Outcome(OrganizationScoped):
    """What of one person stands in the sums. It outlives assignment and contact until it is taken out of them."""

    experiment = models.ForeignKey(Experiment, on_delete=models.CASCADE, related_name="outcomes", db_constraint=False)
    contact = models.ForeignKey(Contact, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False)
    arm = models.ForeignKey(Arm, on_delete=models.CASCADE, related_name="+", db_constraint=False)
    epoch = models.PositiveIntegerField(default=0)
    day = models.DateField()
    figures: models.JSONField[Any, Any] = models.JSONField(default=dict, help_text="Metric → [y, x].")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["experiment", "contact"], name="one_outcome_per_contact")]

    def __str__(self) -> str:
        return f"{self.contact_id} in {self.experiment_id}"


class Touched(OrganizationScoped):
    """Somebody whose outcome may have changed: to be counted again. The transaction that counts takes it away."""

    experiment = models.ForeignKey(Experiment, on_delete=models.CASCADE, related_name="touched", db_constraint=False)
    contact = models.ForeignKey(Contact, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False)

    class Meta:
        verbose_name = "person to count"
        verbose_name_plural = "people to count"
        constraints = [models.UniqueConstraint(fields=["experiment", "contact"], name="touched_once")]

    def __str__(self) -> str:
        return f"{self.contact_id} in {self.experiment_id}"


class Reserve(OrganizationScoped):
    """A share of the people who take part in no experiment at all: what all experiments together are worth."""

    share = models.FloatField(
        default=0.0, validators=[MinValueValidator(0), MaxValueValidator(0.5)],
        help_text="From 0 to 0.5 of everybody.",
    )  # fmt: skip
    salt = models.CharField(max_length=40, editable=False)
    since = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        verbose_name = "reserve"
        constraints = [models.UniqueConstraint(fields=["organization_id"], name="one_reserve")]

    def __str__(self) -> str:
        return f"{self.share:.1%} take part in no experiment"
