"""Who a campaign addresses: the set, and how many of it delivery would refuse today."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from audience.models import ConsentState, Contact
from audience.selectors import LATEST_CONSENT
from campaigns.models import Campaign
from common import tenancy
from delivery.models import MessageKind
from delivery.services import policy
from segments.models import Segment, SegmentStatus

SAMPLE_SIZE = 10

# Everybody living in any chosen segment and in none of those left out. `DISTINCT` because people stand in several.
CONTACTS_SQL = """
SELECT DISTINCT membership.contact_id
FROM segments_membership membership
JOIN audience_contact contact ON contact.id = membership.contact_id
WHERE membership.organization_id = %(organization)s AND membership.left_at IS NULL
  AND membership.segment_id = ANY(%(include)s)
  AND contact.organization_id = %(organization)s AND contact.merged_into_id IS NULL
  AND NOT EXISTS (
      SELECT 1 FROM segments_membership excluded
      WHERE excluded.organization_id = %(organization)s AND excluded.left_at IS NULL
        AND excluded.segment_id = ANY(%(exclude)s) AND excluded.contact_id = membership.contact_id)
"""


# Plan: the set once, then per contact a probe of consent_latest and one of the suppressions' unique index. It
# mirrors delivery's policy; what cannot be foreseen (caps, quiet hours) is decided when a message's turn comes.
PREVIEW_SQL = f"""
WITH audience AS ({CONTACTS_SQL}), judged AS (
    SELECT contact.id,
           btrim(contact.email) !~ %(address_pattern)s OR length(contact.email) > 254 AS has_no_address,
           EXISTS (SELECT 1 FROM audience_suppression suppression
                   WHERE suppression.organization_id = %(organization)s AND suppression.channel = 'email'
                     AND suppression.address = lower(btrim(contact.email))) AS is_suppressed,
           %(consent_free)s OR coalesce((
               SELECT entry.state FROM audience_consent entry
               WHERE entry.organization_id = %(organization)s AND entry.contact_id = contact.id
                 AND entry.channel = 'email'
                 AND (entry.topic_id IS NULL OR entry.topic_id = %(topic)s)
               ORDER BY {LATEST_CONSENT} LIMIT 1), %(unsaid)s) = 'granted' AS has_consent
    FROM audience JOIN audience_contact contact ON contact.id = audience.contact_id
    WHERE contact.organization_id = %(organization)s)
SELECT count(*),
       count(*) FILTER (WHERE NOT has_no_address AND NOT is_suppressed AND has_consent),
       count(*) FILTER (WHERE has_no_address),
       count(*) FILTER (WHERE NOT has_no_address AND is_suppressed),
       count(*) FILTER (WHERE NOT has_no_address AND NOT is_suppressed AND NOT has_consent),
       (array_agg(id ORDER BY id))[1:{SAMPLE_SIZE}]
FROM judged
"""


@dataclass(frozen=True)
class Chosen:
    """Ids of the segments that are in and out."""

    include: list[int] = field(default_factory=list)
    exclude: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class AudiencePreview:
    """Who a launch would touch now: everybody, those a message can reach, and why the others not."""

    contact_count: int
    reachable_count: int
    no_address_count: int
    suppressed_count: int
    no_consent_count: int
    building_segments: list[str]
    sample: list[Contact]


def segment_ids(campaign: Campaign) -> Chosen:
    """The campaign's segments, in and out."""
    rows = list(campaign.audience.order_by("segment_id").values_list("segment_id", "is_excluded"))
    return Chosen([pk for pk, out in rows if not out], [pk for pk, out in rows if out])


def parameters(chosen: Chosen) -> dict[str, Any]:
    """What CONTACTS_SQL binds."""
    return {"organization": tenancy.required(), "include": chosen.include, "exclude": chosen.exclude}


def audience_preview(campaign: Campaign) -> AudiencePreview:
    """Count the campaign's audience as it is now. For a campaign of offers alone everybody is reachable."""
    chosen = segment_ids(campaign)
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(PREVIEW_SQL, parameters(chosen) | _consent(campaign))
        contacts, reachable, no_address, suppressed, no_consent, sample_ids = cursor.fetchone()
    waiting = Segment.objects.filter(pk__in=chosen.include + chosen.exclude).exclude(status=SegmentStatus.READY)
    if campaign.template_id is None:
        reachable, no_address, suppressed, no_consent = contacts, 0, 0, 0
    return AudiencePreview(
        contact_count=contacts,
        reachable_count=reachable,
        no_address_count=no_address,
        suppressed_count=suppressed,
        no_consent_count=no_consent,
        building_segments=list(waiting.order_by("name").values_list("name", flat=True)),
        sample=list(Contact.objects.filter(pk__in=sample_ids or []).order_by("pk")),
    )


def _consent(campaign: Campaign) -> dict[str, Any]:
    """What PREVIEW_SQL needs to know of consent: transactional mail needs none; silence may count as a yes."""
    needed = policy.current().requires_consent
    template = campaign.template
    return {
        "address_pattern": policy.ADDRESS_PATTERN,
        "topic": campaign.topic_id,
        "consent_free": template is not None and template.kind == MessageKind.TRANSACTIONAL,
        "unsaid": ConsentState.WITHDRAWN.value if needed else ConsentState.GRANTED.value,
    }
