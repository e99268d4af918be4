"""Which workflows refer to a segment: in what new people enter, or in what people inside are still on.

A template in the lists protects its segments itself, an archived one by the workflow that still sends it.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Exists, F, OuterRef, Q
from django.urls import reverse

from automations.domain import references
from automations.models import INSIDE, AutomationRun, AutomationVersion
from campaigns.selectors.segment_uses import archived_askers
from segments.models import Segment
from segments.uses import Use


def uses(segment: Segment) -> Iterator[Use]:
    """Each workflow once."""
    # Plan: one_run_inside holds who is inside a workflow; each version is one document of a few kilobytes.
    inside = AutomationRun.objects.filter(
        automation=OuterRef("automation"), version=OuterRef("pk"), status__in=INSIDE
    )
    served = AutomationVersion.objects.filter(Q(automation__current_version=F("pk")) | Exists(inside))
    askers = set(archived_askers(segment).values_list("pk", flat=True))
    told: set[int] = set()
    rows = served.order_by("automation__name", "automation_id", "-pk")
    for pk, name, document in rows.values_list("automation_id", "automation__name", "document"):
        wanted = {segment.pk, str(segment.pk), segment.slug}
        if pk not in told and (wanted & references.segments(document) or askers & references.templates(document)):
            told.add(pk)
            yield Use("workflow", name, reverse("admin:automations_automation_change", args=[pk]))
