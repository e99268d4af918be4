"""What is known of syncs."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Q
from django.urls import reverse

from integrations.models import AudienceSync, SyncedContact
from segments.models import Segment
from segments.uses import Use

WAITING = ("pending", "claimed")


@dataclass(frozen=True)
class Counts:
    """People of a sync by what the platform knows of them; each is the number of rows of the list it links to."""

    in_audience: int
    to_add: int
    to_remove: int
    refused: int


def counts(sync: AudienceSync) -> Counts:
    """One pass over the rows of the sync."""
    found = SyncedContact.objects.filter(sync=sync).aggregate(
        in_audience=Count("pk", filter=Q(status="done")),
        to_add=Count("pk", filter=Q(status__in=WAITING, change="add")),
        to_remove=Count("pk", filter=Q(status__in=WAITING, change="remove")),
        refused=Count("pk", filter=Q(status="failed")),
    )
    return Counts(**found)


def uses(segment: Segment) -> list[Use]:
    """The syncs that keep a segment somewhere."""
    rows = AudienceSync.objects.filter(segment=segment).order_by("pk").select_related("destination")
    return [
        Use("sync to", sync.destination.name, reverse("admin:integrations_audiencesync_change", args=[sync.pk]))
        for sync in rows
    ]
