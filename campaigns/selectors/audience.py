"""Who a campaign addresses: the set, and how many of it delivery would refuse today."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import connection

from audience.models import Contact, MessageChannel
from campaigns.models import Campaign
from common import clock, tenancy
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


# Those whom the analysis found, or a filter: fixed already, and without those held out.
FOUND_SQL = """
SELECT DISTINCT target.contact_id
FROM campaigns_target target JOIN audience_contact contact ON contact.id = target.contact_id
WHERE target.organization_id = %(organization)s AND target.campaign_id = %(source)s AND NOT target.is_held_out
  AND contact.organization_id = %(organization)s AND contact.merged_into_id IS NULL
"""

# The campaign's message to each of them, as the ledger would have it.
IMAGINED = """
SELECT contact_id AS id, contact_id, 0::bigint AS content_id, %(now)s::timestamptz AS run_at,
       %(channel)s::text AS channel, %(kind)s::text AS kind, 'campaign'::text AS source_type,
       %(source)s::bigint AS source_id, %(topic)s::bigint AS topic_id, ''::text AS address, 20 AS weight,
       2 AS priority, %(expires_at)s::timestamptz AS expires_at
  FROM audience
"""
# What stops a message at any time, asked of delivery's own statement; what cannot be foreseen (caps, quiet hours) is
# decided when a message's turn comes. Plan: the set once, then per contact as when it is sent.
PREVIEW_SQL = f"""
WITH audience AS MATERIALIZED ({{contacts}}), judged AS ({policy.standing_sql(IMAGINED)})
SELECT count(*),
       count(*) FILTER (WHERE refusal = ''),
       count(*) FILTER (WHERE refusal = ANY(%(no_way)s)),
       count(*) FILTER (WHERE refusal = %(SUPPRESSED)s),
       count(*) FILTER (WHERE refusal = ANY(%(no_leave)s)),
       count(*) FILTER (WHERE refusal = %(PAUSED)s),
       (array_agg(contact_id ORDER BY contact_id))[1:{SAMPLE_SIZE}]
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
    paused_count: int
    building_segments: list[str]
    sample: list[Contact]


def segment_ids(campaign: Campaign) -> Chosen:
    """The campaign's segments, in and out."""
    rows = list(campaign.audience.order_by("segment_id").values_list("segment_id", "is_excluded"))
    return Chosen([pk for pk, out in rows if not out], [pk for pk, out in rows if out])


def parameters(chosen: Chosen) -> dict[str, Any]:
    """What CONTACTS_SQL binds."""
    return {"organization": tenancy.required(), "include": chosen.include, "exclude": chosen.exclude}


def audience_preview(campaign: Campaign, chosen: Chosen | None = None) -> AudiencePreview:
    """Count the audience as it is now: the campaign's own, or another that somebody is choosing.

    For a campaign of offers alone everybody is reachable.
    """
    is_found = chosen is None and campaign.is_found
    chosen = chosen or segment_ids(campaign)
    statement = PREVIEW_SQL.replace("{contacts}", FOUND_SQL if is_found else CONTACTS_SQL)
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(statement, _message(campaign) | parameters(chosen))
        contacts, reachable, no_address, suppressed, no_consent, paused, sample_ids = cursor.fetchone()
    waiting = Segment.objects.filter(pk__in=chosen.include + chosen.exclude).exclude(status=SegmentStatus.READY)
    if campaign.template_id is None:
        reachable, no_address, suppressed, no_consent, paused = contacts, 0, 0, 0, 0
    return AudiencePreview(
        contact_count=contacts,
        reachable_count=reachable,
        no_address_count=no_address,
        suppressed_count=suppressed,
        no_consent_count=no_consent,
        paused_count=paused,
        building_segments=list(waiting.order_by("name").values_list("name", flat=True)),
        sample=list(Contact.objects.filter(pk__in=sample_ids or []).order_by("pk")),
    )


def _message(campaign: Campaign) -> dict[str, Any]:
    """What PREVIEW_SQL binds of the campaign's message."""
    template, now = campaign.template, clock.now()
    shelf = timedelta(hours=campaign.shelf_hours) if campaign.shelf_hours else None
    return policy.standing_parameters([], policy.current(), now) | {
        "channel": template.channel if template is not None else MessageChannel.EMAIL,
        "kind": template.kind if template is not None else MessageKind.MARKETING,
        "source": campaign.pk,
        "topic": campaign.topic_id,
        "expires_at": now + shelf if shelf else None,
        "no_way": [policy.NO_ADDRESS, policy.NO_PHONE, policy.NO_DEVICE],
        "no_leave": [policy.WITHDRAWN, policy.UNCONFIRMED, policy.NO_CONSENT],
    }
