"""Segments, their rules by version, and who stands in them since when."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.fields.composite import CompositePrimaryKey

from audience.models import Contact, EventDefinition
from common import clock
from common.tenancy import OrganizationScoped
from segments.patterns.models import Analysis, AnalysisKind, Finding, PatternSettings, SegmentFigures

__all__ = [
    "Analysis",
    "AnalysisKind",
    "Finding",
    "FlipCheck",
    "Membership",
    "PatternSettings",
    "Recheck",
    "Segment",
    "SegmentDependency",
    "SegmentFigures",
    "SegmentKind",
    "SegmentStatus",
    "SegmentVersion",
]


class SegmentKind(models.TextChoices):
    STATIC = "static"
    DYNAMIC = "dynamic"


class SegmentStatus(models.TextChoices):
    BUILDING = "building"
    READY = "ready"
    FAILED = "failed"


class Segment(OrganizationScoped):
    """A live group of contacts: chosen by hand (static) or by a rule (dynamic)."""

    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=100)
    description = models.TextField(blank=True, default="")
    kind = models.CharField(max_length=10, choices=SegmentKind, default=SegmentKind.DYNAMIC)
    rule: models.JSONField[Any, Any] = models.JSONField(
        null=True, blank=True, help_text="The rule of the current version."
    )
    version_number = models.PositiveIntegerField(default=0)
    tags: ArrayField[Any, Any] = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    is_active = models.BooleanField(default=True)
    status = models.CharField(max_length=10, choices=SegmentStatus, default=SegmentStatus.READY)
    error = models.TextField(blank=True, default="", help_text="Why the last build failed.")
    member_count = models.BigIntegerField(default=0)
    built_at = models.DateTimeField(null=True, blank=True)
    asked_count = models.PositiveIntegerField(
        default=0, editable=False, help_text="Counts what a build under way may not have seen: it is done again."
    )
    built_version = models.PositiveIntegerField(default=0, help_text="The version whose members stand here.")
    build_seconds = models.FloatField(null=True, blank=True, help_text="How long the last build took.")
    created_at = models.DateTimeField(default=clock.now)
    updated_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization_id", "slug"], name="one_segment_per_slug")]
        indexes = [
            models.Index(fields=["organization_id"], condition=Q(status="building"), name="segments_to_build"),
        ]

    def __str__(self) -> str:
        return self.name


class SegmentVersion(OrganizationScoped):
    """A rule as it was from a moment on; never changed."""

    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    rule: models.JSONField[Any, Any] = models.JSONField()
    author = models.CharField(max_length=200, blank=True, default="")
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["segment", "number"], name="one_version_per_number")]

    def __str__(self) -> str:
        return f"{self.segment} v{self.number}"


class SegmentDependency(OrganizationScoped):
    """What a segment's rule reads: an event, a contact field or a segment. Finds who is affected by a change."""

    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="dependencies")
    definition = models.ForeignKey(EventDefinition, null=True, on_delete=models.CASCADE, related_name="+")
    field = models.CharField(max_length=120, blank=True, default="", help_text="`city` or `attributes.plan`.")
    needed = models.ForeignKey(
        Segment, null=True, on_delete=models.PROTECT, related_name="dependants", help_text="A segment it refers to."
    )

    class Meta:
        verbose_name_plural = "segment dependencies"
        indexes = [
            models.Index(fields=["organization_id", "definition"], name="segments_by_event"),
            models.Index(fields=["organization_id", "field"], name="segments_by_field"),
        ]

    def __str__(self) -> str:
        return f"{self.segment} on {self.field or self.definition or self.needed}"


class Membership(OrganizationScoped):
    """A contact's stay in a segment. Open while `left_at` is empty; closed rows are the history."""

    # The indexes below begin with these keys; millions of rows carry no index more than they need.
    segment = models.ForeignKey(
        Segment, on_delete=models.CASCADE, related_name="memberships", db_constraint=False, db_index=False
    )
    # Rows of a deleted contact go with the notice about it, which also corrects the counts of their segments.
    contact = models.ForeignKey(
        Contact, on_delete=models.DO_NOTHING, related_name="memberships", db_constraint=False, db_index=False
    )
    entered_at = models.DateTimeField(default=clock.now)
    left_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["segment", "contact"], condition=Q(left_at=None), name="one_open_membership"
            )
        ]
        indexes = [
            models.Index(fields=["organization_id", "contact", "segment"], name="membership_by_contact"),
            models.Index(fields=["segment", "entered_at"], name="memberships_entered"),
            models.Index(fields=["segment", "left_at"], condition=Q(left_at__isnull=False), name="memberships_left"),
        ]

    def __str__(self) -> str:
        return f"{self.contact_id} in {self.segment_id}"


class FlipCheck(OrganizationScoped):
    """The next moment at which time alone can change a contact's membership.

    A check of a contact that is gone is dropped when it falls due.
    """

    pk = CompositePrimaryKey("segment_id", "contact_id")
    segment = models.ForeignKey(
        Segment, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    contact = models.ForeignKey(
        Contact, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    flips_at = models.DateTimeField()

    class Meta:
        # By segment first: a build writes a million of them, and they then stand close together.
        indexes = [models.Index(fields=["segment", "flips_at"], name="flips_due")]

    def __str__(self) -> str:
        return f"{self.contact_id} in {self.segment_id} at {self.flips_at}"


class Recheck(OrganizationScoped):
    """A contact that changed while a segment was being built: to be looked at again once it is ready."""

    segment = models.ForeignKey(
        Segment, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    contact = models.ForeignKey(
        Contact, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )

    class Meta:
        indexes = [models.Index(fields=["organization_id", "segment"], name="rechecks_by_segment")]

    def __str__(self) -> str:
        return f"{self.contact_id} in {self.segment_id}"


class SelfAudit(OrganizationScoped):
    """One night's comparison of stored memberships with what the rules say."""

    ran_at = models.DateTimeField(default=clock.now)
    segment_count = models.PositiveIntegerField(default=0)
    contact_count = models.PositiveIntegerField(default=0)
    difference_count = models.PositiveIntegerField(default=0)
    differences: models.JSONField[Any, Any] = models.JSONField(
        default=list, help_text="The first of the wrong pairs: segment and contact."
    )

    class Meta:
        indexes = [models.Index(fields=["organization_id", "-ran_at"], name="self_audits_by_time")]

    def __str__(self) -> str:
        return f"{self.difference_count} differences on {self.ran_at:%Y-%m-%d}"
