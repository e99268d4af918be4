"""Many small campaigns that are due at once begin together: audiences, states and messages in a dozen statements.

One by one they take forty statements each, and the last of a few hundred would begin long after its moment. What is
not plain (a pace, a budget, arms, offers, a time by contacts' clocks, a large audience) takes its own steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef, Q
from django.utils.text import slugify

from accounts import audit
from campaigns.domain import pacing, states
from campaigns.models import Campaign, CampaignAudience, CampaignRun, Offer, RunStatus, Timing
from campaigns.selectors import audience
from common import clock, tenancy
from delivery import services as delivery
from delivery.models import SourceType
from segments.models import SegmentStatus

MOST = 200
FEWEST = 2  # alone a campaign takes its own steps

CHOSEN = "ARRAY(SELECT segment_id FROM campaigns_campaignaudience WHERE campaign_id = run.campaign_id AND {which})"
CONTACTS_OF_RUN = audience.CONTACTS_SQL.replace("%(include)s", CHOSEN.format(which="NOT is_excluded")).replace(
    "%(exclude)s", CHOSEN.format(which="is_excluded")
)
# Plan: for each campaign its few segments, then as for one: one_open_membership, contacts by key.
SNAPSHOT_SQL = f"""
WITH run AS (SELECT * FROM unnest(%(runs)s::bigint[], %(campaigns)s::bigint[]) AS run(id, campaign_id)),
written AS (
    INSERT INTO campaigns_target (organization_id, campaign_id, run_id, occurrence, contact_id, created_at)
    SELECT %(organization)s, run.campaign_id, run.id, 0, person.contact_id, %(now)s
    FROM run CROSS JOIN LATERAL ({CONTACTS_OF_RUN}) AS person
    ORDER BY run.id, person.contact_id
    ON CONFLICT (campaign_id, contact_id, occurrence) DO NOTHING
    RETURNING id, run_id)
SELECT run_id, count(*), max(id) FROM written GROUP BY 1
"""
# Plan: target_by_run for each of the runs.
MESSAGES_SQL = """
SELECT target.contact_id, 'campaign:' || target.run_id || ':' || target.contact_id AS idempotency_key, run.content_id,
       target.campaign_id AS source_id, campaign.topic_id, campaign.sender_id, run.utm_campaign, campaign.weight,
       campaign.shelf_hours
FROM unnest(%(runs)s::bigint[], %(contents)s::bigint[], %(utm)s::text[]) AS run(id, content_id, utm_campaign)
JOIN campaigns_target target ON target.organization_id = %(organization)s AND target.run_id = run.id
JOIN campaigns_campaign campaign ON campaign.id = target.campaign_id
"""


def begin() -> int:
    """Begin what is plain and due, as one transaction of the caller's; returns how many campaigns that were."""
    runs = _claim()
    if len(runs) < FEWEST:
        return 0
    now = clock.now()
    counts = _snapshot(runs, now)
    _write_messages(runs)
    for run in runs:
        run.target_count, run.queued_through_id = counts.get(run.pk, (0, 0))
        run.queued_count, run.snapshot_at, run.is_queued, run.error = run.target_count, now, True, ""
        run.run_at = now + pacing.patience(timedelta()) if run.target_count else now
    fields = ["target_count", "queued_through_id", "queued_count", "snapshot_at", "is_queued", "error", "run_at"]
    CampaignRun.objects.bulk_update(runs, fields)
    _open([run.campaign for run in runs if run.campaign.status == states.State.SCHEDULED])
    return len(runs)


def _claim() -> list[CampaignRun]:
    """Due runs of plain campaigns to small segments that are ready, with their campaigns, all held."""
    now = clock.now()
    unready = CampaignAudience.objects.filter(campaign=OuterRef("campaign_id")).exclude(
        segment__status=SegmentStatus.READY, segment__member_count__lte=pacing.FULL_BLOCK
    )
    return list(
        CampaignRun.objects.select_for_update(skip_locked=True, no_key=True, of=("self", "campaign"))
        .select_related("campaign")
        .filter(status=RunStatus.PENDING, run_at__lte=now, snapshot_at=None, attempts=0, content__isnull=False)
        .filter(campaign__status__in=(states.State.SCHEDULED, states.State.ACTIVE), campaign__timing=Timing.AT)
        .filter(campaign__experiment=None, campaign__budget_minor=None, campaign__messages_per_minute=None)
        .filter(Q(campaign__ends_at=None) | Q(campaign__ends_at__gt=now))
        .filter(~Exists(unready), ~Exists(Offer.objects.filter(campaign=OuterRef("campaign_id"))))
        .order_by("run_at", "pk")[:MOST]
    )


def _snapshot(runs: Sequence[CampaignRun], now: Any) -> dict[int, tuple[int, int]]:
    """Fix who is addressed by each run; run → how many, and the last target's id."""
    parameters = {
        "organization": tenancy.required(),
        "runs": [run.pk for run in runs],
        "campaigns": [run.campaign_id for run in runs],
        "now": now,
    }
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(SNAPSHOT_SQL, parameters)
        return {run_id: (count, last_id) for run_id, count, last_id in cursor.fetchall()}


def _write_messages(runs: Sequence[CampaignRun]) -> None:
    parameters = {
        "runs": [run.pk for run in runs],
        "contents": [run.content_id for run in runs],
        "utm": [run.campaign.utm_campaign or slugify(run.campaign.name) for run in runs],
    }
    delivery.queue_sources(MESSAGES_SQL, parameters, source_type=SourceType.CAMPAIGN)


def _open(campaigns: Sequence[Campaign]) -> None:
    """From scheduled to active, each with its line in the audit log."""
    for campaign in campaigns:
        campaign.status, campaign.updated_at = states.move(campaign.status, "start"), clock.now()
    Campaign.objects.bulk_update(campaigns, ["status", "updated_at"])
    before, after = {"status": states.State.SCHEDULED.value}, {"status": states.State.ACTIVE.value}
    audit.record_alike("start", campaigns, before=before, after=after)
