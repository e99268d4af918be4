"""The nightly self-audit: stored membership must be what the rules say now, for a rolling sample of contacts.

Each night another slice of the contacts is derived anew, all of them within a week or so. What differs is looked
at once more after everything that waits has been worked, under the refreshers' lock: what differs then is a fault.
It is recorded (the health page shows it) and mended by an ordinary refresh.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import F

from audience.models import Contact
from common import clock, doorbell, outbox, tenancy
from segments.models import Membership, Segment, SegmentKind, SegmentStatus, SelfAudit
from segments.rules import parse_stored
from segments.selectors import verdicts
from segments.services import flips, refresh
from segments.services.refresh import Pair

logger = logging.getLogger(__name__)

SLICE = 5_000  # contacts a night, at least; few enough to be done in minutes with hundreds of segments
MOST_NIGHTS = 7
MOST_KEPT = 100
KEEP_RUNS = 90


def run(organization_id: int) -> SelfAudit:
    """Look at tonight's slice of one organisation in every segment that serves; returns what was found."""
    with tenancy.organization(organization_id):
        now = clock.now()
        contact_ids = _slice(now)
        segments = _serving()
        suspects = [pair for segment in segments for pair in _differing(segment, contact_ids)]
        faults = _confirmed(suspects) if suspects else []
        audit = SelfAudit.objects.create(
            ran_at=now,
            segment_count=len(segments),
            contact_count=len(contact_ids),
            difference_count=len(faults),
            differences=[
                {"segment": segment_id, "contact": contact_id} for segment_id, contact_id in faults[:MOST_KEPT]
            ],
        )
        kept = SelfAudit.objects.order_by("-ran_at").values_list("pk", flat=True)[:KEEP_RUNS]
        SelfAudit.objects.exclude(pk__in=list(kept)).delete()
    if faults:
        logger.error("The self-audit of organisation %s found %s wrong memberships.", organization_id, len(faults))
    return audit


def run_everywhere() -> None:
    """Every organisation with segments, one after another."""
    for organization_id in sorted(doorbell.organizations_with("segments_segment", "TRUE")):
        run(organization_id)


def _slice(now: datetime) -> list[int]:
    """Tonight's contacts, the merged and the living: ids of one remainder, another one every night."""
    total = Contact.objects.count()
    nights = min(MOST_NIGHTS, max(1, total // SLICE))
    tonight = now.toordinal() % nights
    rows = Contact.objects.alias(night=F("pk") % nights).filter(night=tonight)
    return list(rows.order_by("pk").values_list("pk", flat=True))


def _serving() -> list[Segment]:
    rows = Segment.objects.filter(kind=SegmentKind.DYNAMIC, status=SegmentStatus.READY, is_active=True)
    return list(rows.order_by("pk"))


def _differing(segment: Segment, contact_ids: Sequence[int]) -> list[Pair]:
    """Contacts of the slice whose stored membership is not what the rule says."""
    rule = parse_stored(segment.rule)
    found: list[Pair] = []
    for start in range(0, len(contact_ids), SLICE):
        block = contact_ids[start : start + SLICE]
        derived = {verdict.contact_id for verdict in verdicts(rule, block) if verdict.is_match}
        stored = set(
            Membership.objects.filter(segment=segment, left_at=None, contact__in=block).values_list(
                "contact_id", flat=True
            )
        )
        found += [(segment.pk, contact_id) for contact_id in sorted(derived ^ stored)]
    return found


def _confirmed(suspects: Iterable[Pair]) -> list[Pair]:
    """Those that still differ when nothing waits any more; they are mended in the same transaction."""
    organization_id = tenancy.required()
    outbox.deliver(organization_id)
    flips.run(organization_id)
    with transaction.atomic():
        refresh.lock_refreshers()
        serving = {segment.pk: segment for segment in _serving()}
        by_segment: dict[int, list[int]] = {}
        for segment_id, contact_id in suspects:
            if segment_id in serving:
                by_segment.setdefault(segment_id, []).append(contact_id)
        faults = [
            pair for segment_id, contacts in by_segment.items() for pair in _differing(serving[segment_id], contacts)
        ]
        refresh.refresh(faults)
    return faults
