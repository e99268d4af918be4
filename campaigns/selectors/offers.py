"""Which offers stand for a contact."""

from __future__ import annotations

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from audience.models import Identity, IdentityKind
from campaigns.models import Campaign, CampaignStatus, Offer, Target, TargetStatus
from common import clock


def offered_to(queryset: QuerySet[Campaign], kind: IdentityKind, value: str) -> QuerySet[Campaign]:
    """Active campaigns with an offer that stands, whose target is this contact and has not converted.

    Adds `target_status`. Nobody known by that name: no campaigns. Plan: target_open by contact, a few rows.
    """
    now = clock.now()
    contact_ids = Identity.objects.filter(kind=kind, value=value).values("contact_id")
    standing = Offer.objects.filter(campaign=OuterRef("pk")).filter(Q(expires_at=None) | Q(expires_at__gt=now))
    return (
        queryset.filter(Q(ends_at=None) | Q(ends_at__gt=now), status=CampaignStatus.ACTIVE)
        .filter(Exists(standing))
        .filter(targets__in=Target.objects.filter(contact__in=contact_ids).exclude(status=TargetStatus.CONVERTED))
        .annotate(target_status=F("targets__status"))
    )
