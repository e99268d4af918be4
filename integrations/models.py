"""Where segments are sent to, and what has been sent: one row per contact and sync is both the state and the work."""

from __future__ import annotations

from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from audience.models import MessageChannel
from common import clock
from common.models import WorkStatus
from common.tenancy import OrganizationScoped
from integrations.providers import PROVIDERS
from segments.models import Segment


class Destination(OrganizationScoped):
    """An account at an ad platform, or an address of our own, that takes audiences."""

    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=30, choices=[(name, each.label) for name, each in PROVIDERS.items()])
    settings: models.JSONField[Any, Any] = models.JSONField(default=dict, help_text="What is no secret.")
    sealed_secrets = models.TextField(blank=True, default="", editable=False)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization_id", "name"], name="one_destination_per_name")]

    def __str__(self) -> str:
        return self.name


class SyncStatus(models.TextChoices):
    ACTIVE = "active"
    PAUSED = "paused"
    ENDING = "ending", "Being taken away"


class AudienceSync(OrganizationScoped):
    """One segment kept equal to one audience of a destination: those members who agreed to be written to."""

    destination = models.ForeignKey(Destination, on_delete=models.PROTECT, related_name="syncs")
    segment = models.ForeignKey(Segment, on_delete=models.PROTECT, related_name="audience_syncs")
    channel = models.CharField(
        max_length=20,
        choices=MessageChannel,
        default=MessageChannel.EMAIL,
        help_text="Only who agreed to marketing on this channel, for all topics, is sent.",
    )
    audience_name = models.CharField(max_length=120, help_text="How the audience is called at the platform.")
    audience_id = models.CharField(
        max_length=200, blank=True, default="", help_text="Its id there. Empty: it is made with the first push."
    )
    status = models.CharField(max_length=10, choices=SyncStatus, default=SyncStatus.ACTIVE)
    reason = models.CharField(max_length=300, blank=True, default="", help_text="Why it is paused.")
    failures = models.PositiveSmallIntegerField(default=0, help_text="In a row.")
    run_at = models.DateTimeField(default=clock.now, help_text="No request before this moment.")
    # Who holds the lease tells the platform; one at a time, so that a late addition never follows a removal.
    lease_token = models.UUIDField(null=True, editable=False)
    lease_expires_at = models.DateTimeField(null=True, editable=False)
    planned_at = models.DateTimeField(null=True, help_text="When the whole segment was last compared.")
    pushed_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["destination", "segment"], name="one_sync_per_destination_and_segment")
        ]
        indexes = [models.Index(fields=["organization_id", "status", "run_at"], name="syncs_due")]

    def __str__(self) -> str:
        return f"{self.segment} to {self.destination}"


class Change(models.TextChoices):
    ADD = "add"
    REMOVE = "remove"


class SyncedContact(OrganizationScoped):
    """What an audience knows of a contact, and what it has yet to be told.

    `pending`: `change` must be told; `claimed`: it is being told. `done`: it was, and the contact is in the audience.
    `failed`: the platform refused this record; nothing is tried until it changes or everything is sent anew. A row
    whose removal is done is gone. Without a contact it takes away an address that a contact had before.
    """

    sync = models.ForeignKey(AudienceSync, on_delete=models.CASCADE, related_name="contacts", db_index=False)
    contact_id = models.BigIntegerField(null=True)
    change = models.CharField(max_length=6, choices=Change)
    status = models.CharField(max_length=10, choices=WorkStatus, default=WorkStatus.PENDING)
    error = models.CharField(max_length=300, blank=True, default="")
    # md5 of what the identifiers were made of, to see that they are others now.
    fingerprint = models.CharField(max_length=32)
    # As the platform was told, before it was told: what may be there must be possible to take away.
    identifiers: models.JSONField[Any, Any] = models.JSONField(default=dict)
    may_be_there = models.BooleanField(default=False)
    pushed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["sync", "contact_id"],
                condition=Q(contact_id__isnull=False),
                name="one_row_per_contact_and_sync",
            )
        ]
        indexes = [
            models.Index(
                fields=["sync", "change", "id"],
                condition=Q(status__in=["pending", "claimed"]),
                name="changes_to_push",
            ),
            models.Index(fields=["organization_id", "contact_id"], name="synced_by_contact"),
        ]

    def __str__(self) -> str:
        return f"{self.change} {self.contact_id}"


class Push(OrganizationScoped):
    """One request, or a few that belong together: how many records, and what came of it."""

    sync = models.ForeignKey(AudienceSync, on_delete=models.CASCADE, related_name="pushes")
    change = models.CharField(max_length=6, choices=Change)
    record_count = models.PositiveIntegerField()
    refused_count = models.PositiveIntegerField(default=0)
    status = models.CharField(max_length=10, choices=[(WorkStatus.DONE, "Done"), (WorkStatus.FAILED, "Failed")])
    error = models.TextField(blank=True, default="")
    seconds = models.FloatField(validators=[MinValueValidator(0), MaxValueValidator(1e6)])
    happened_at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name_plural = "pushes"
        indexes = [models.Index(fields=["sync", "-id"], name="pushes_of_sync")]

    def __str__(self) -> str:
        return f"{self.change} {self.record_count}"
