"""The worker's side: snapshot the audience, hand out messages in blocks, and close what is done.

One step is one transaction that holds the campaign and its run: a worker that dies mid-step leaves nothing
behind, and the next one goes on from `queued_through_id`. Message keys make even a repeated step harmless.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

from django.db import connection, transaction
from django.utils.text import slugify

from accounts import audit
from campaigns.domain import pacing, states
from campaigns.models import Campaign, CampaignRun, RunStatus
from campaigns.selectors import audience
from campaigns.services import control
from common import claims, clock, doorbell, tenancy
from common.errors import Permanent, Transient
from delivery import services as delivery
from delivery.models import SourceType
from segments.models import Segment, SegmentStatus

logger = logging.getLogger(__name__)

MOST_ATTEMPTS = 10
SEGMENT_WAIT_SECONDS = 2
# Completion is announced by delivery; this look of our own covers what nobody announces.
SETTLE_CHECK_SECONDS = 60
FAR_AWAY = datetime(9999, 1, 1, tzinfo=UTC)
RUNNING = (states.State.SCHEDULED, states.State.ACTIVE)

# Plan: one index scan per segment on one_open_membership, an anti-join for those left out, a key look-up per
# contact for the living. `ORDER BY` makes target ids, and so the sending, follow contact ids.
SNAPSHOT_SQL = f"""
INSERT INTO campaigns_target (organization_id, campaign_id, run_id, contact_id, created_at)
SELECT %(organization)s, %(campaign)s, %(run)s, contact_id, %(now)s
FROM ({audience.CONTACTS_SQL}) AS audience
ORDER BY contact_id
ON CONFLICT (campaign_id, contact_id) DO NOTHING
"""

# Plan: target_by_run (organization_id, run_id, id), a range of one block.
BLOCK_END_SQL = """
SELECT max(id), count(*) FROM (
    SELECT id FROM campaigns_target
    WHERE organization_id = %(organization)s AND run_id = %(run)s AND id > %(after)s
    ORDER BY id LIMIT %(size)s) AS block
"""
BLOCK_SQL = """
SELECT contact_id, 'campaign:' || run_id || ':' || contact_id AS idempotency_key
FROM campaigns_target
WHERE organization_id = %(organization)s AND run_id = %(run)s AND id > %(after)s AND id <= %(through)s
ORDER BY id
"""


def work(organization_id: int) -> int:
    """Take every step that is due in one organisation; returns how many were taken."""
    steps = 0
    with tenancy.organization(organization_id):
        while _step():
            steps += 1
    return steps


def organizations_due() -> list[int]:
    """Organisations with a run to advance. Plan: the partial index campaign_runs_due."""
    return doorbell.organizations_with("campaigns_campaignrun", "status = 'pending' AND run_at <= %s", [clock.now()])


def settled(campaign_id: int) -> None:
    """Close the campaign's run if its last message has settled. Waits for a step that is under way."""
    with transaction.atomic():
        if Campaign.objects.select_for_update(no_key=True).filter(pk=campaign_id).first() is None:
            return
        run = CampaignRun.objects.filter(campaign=campaign_id, status=RunStatus.PENDING, is_queued=True).first()
        if run is not None:
            _finish_or_wait(run)


def _step() -> bool:
    """Claim one due run and advance it by one step; False when none is due."""
    run_id = 0
    try:
        with transaction.atomic():
            run = _claim()
            if run is None:
                return False
            run_id = run.pk
            _advance(run)
    except Exception as error:
        if not run_id:
            raise
        _record_failure(run_id, error)
    return True


def _claim() -> CampaignRun | None:
    """The longest due run, with its campaign; both stay locked, and whoever is busy elsewhere is passed over."""
    return (
        CampaignRun.objects.select_for_update(skip_locked=True, no_key=True, of=("self", "campaign"))
        .select_related("campaign")
        .filter(status=RunStatus.PENDING, run_at__lte=clock.now(), campaign__status__in=RUNNING)
        .order_by("run_at", "pk")
        .first()
    )


def _advance(run: CampaignRun) -> None:
    ends_at = run.campaign.ends_at
    if run.snapshot_at is None:
        _snapshot(run)
    elif ends_at is not None and ends_at <= clock.now():
        _end(run)
    elif not run.is_queued:
        _queue_block(run)
    else:
        _finish_or_wait(run)


def _snapshot(run: CampaignRun) -> None:
    """Fix who is addressed, in one statement, and open the campaign."""
    chosen = audience.segment_ids(run.campaign)
    if waiting := _unbuilt(chosen.include + chosen.exclude):
        run.error = f"Waiting for the segment “{waiting}” to be built."
        run.run_at = clock.now() + timedelta(seconds=SEGMENT_WAIT_SECONDS)
        run.save(update_fields=["error", "run_at"])
        return
    now = clock.now()
    parameters = audience.parameters(chosen) | {"campaign": run.campaign_id, "run": run.pk, "now": now}
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(SNAPSHOT_SQL, parameters)
        run.target_count = cursor.rowcount
    run.snapshot_at, run.error = now, ""
    run.is_queued = run.content_id is None
    run.save(update_fields=["snapshot_at", "target_count", "is_queued", "error"])
    if run.campaign.status == states.State.SCHEDULED:
        _change_status(run.campaign, "start")


def _unbuilt(segment_ids: list[int]) -> str:
    """The name of a segment that is still being built; raises `Permanent` for one that failed."""
    for segment in Segment.objects.filter(pk__in=segment_ids).exclude(status=SegmentStatus.READY):
        if segment.status == SegmentStatus.FAILED:
            raise Permanent(f"The segment “{segment}” could not be built; mend its rule, then resume.")
        return segment.name
    return ""


def _queue_block(run: CampaignRun) -> None:
    """Hand one block of messages to delivery and move the cursor, in the same transaction."""
    pace = pacing.block(run.campaign.messages_per_minute)
    parameters = {"organization": tenancy.required(), "run": run.pk, "after": run.queued_through_id}
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(BLOCK_END_SQL, parameters | {"size": pace.size})
        through, count = cursor.fetchone()
    now = clock.now()
    if count:
        _queue(run, parameters | {"through": through})
        run.queued_through_id = through
        run.run_at = pacing.next_at(run.run_at, now, pace.seconds)
    if count < pace.size:
        run.is_queued, run.run_at = True, now
    run.attempts, run.error = 0, ""
    run.save(update_fields=["queued_through_id", "run_at", "is_queued", "attempts", "error"])


def _queue(run: CampaignRun, parameters: dict[str, object]) -> None:
    assert run.content_id is not None
    delivery.queue_selected(
        BLOCK_SQL,
        parameters,
        content_id=run.content_id,
        source_type=SourceType.CAMPAIGN,
        source_id=run.campaign_id,
        topic_id=run.campaign.topic_id,
        sender_id=run.campaign.sender_id,
        utm_campaign=run.campaign.utm_campaign or slugify(run.campaign.name),
        weight=run.campaign.weight,
        shelf_hours=run.campaign.shelf_hours,
    )


def _end(run: CampaignRun) -> None:
    """The campaign's end has come: what has not left stays here."""
    if run.content_id is not None:
        delivery.cancel(SourceType.CAMPAIGN, run.campaign_id)
    run.is_queued = True
    run.save(update_fields=["is_queued"])
    _finish_or_wait(run)


def _finish_or_wait(run: CampaignRun) -> None:
    """Complete the campaign, or say when to look again: at its end, or while messages are out."""
    wake_at = _wake_at(run)
    if wake_at is not None:
        CampaignRun.objects.filter(pk=run.pk).update(run_at=wake_at)
        return
    CampaignRun.objects.filter(pk=run.pk).update(status=RunStatus.DONE, finished_at=clock.now())
    _change_status(run.campaign, "complete")


def _wake_at(run: CampaignRun) -> datetime | None:
    """When to look again; None when nothing is left to wait for."""
    now, ends_at = clock.now(), run.campaign.ends_at
    if run.content_id is not None and control.has_unsettled_messages(run.campaign):
        check_at = now + timedelta(seconds=SETTLE_CHECK_SECONDS)
        return min(check_at, ends_at) if ends_at is not None and ends_at > now else check_at
    if not run.campaign.offers.exists():
        return None
    if ends_at is None:
        return FAR_AWAY  # until a person completes it; setting an end wakes the run
    return ends_at if ends_at > now else None


def _change_status(campaign: Campaign, action: str) -> None:
    with audit.changing(campaign, action):
        campaign.status = states.move(campaign.status, action)
        campaign.updated_at = clock.now()
        campaign.save(update_fields=["status", "updated_at"])


def _record_failure(run_id: int, error: Exception) -> None:
    """Try again later, or give up: the campaign is paused with the reason, and resuming tries again."""
    with transaction.atomic():
        run = _hold_pending(run_id)
        if run is None:
            return
        run.attempts += 1
        run.error = f"{type(error).__name__}: {error}"[:2000]
        wait = claims.backoff(run.attempts)
        if isinstance(error, Transient) and error.retry_after_seconds is not None:
            wait = timedelta(seconds=error.retry_after_seconds)
        run.run_at = clock.now() + wait
        if isinstance(error, Permanent) or run.attempts >= MOST_ATTEMPTS:
            run.status = RunStatus.FAILED
            _pause_failed(run)
        run.save(update_fields=["attempts", "error", "run_at", "status"])
    logger.error("%s failed (attempt %s)", run, run.attempts, exc_info=error)


def _hold_pending(run_id: int) -> CampaignRun | None:
    """The run, if nobody paused or cancelled it meanwhile. Campaign first, as everybody locks them."""
    campaign_id = CampaignRun.objects.values_list("campaign_id", flat=True).get(pk=run_id)
    campaign = Campaign.objects.select_for_update(no_key=True).get(pk=campaign_id)
    run = CampaignRun.objects.filter(pk=run_id, status=RunStatus.PENDING).first()
    if run is not None:
        run.campaign = campaign
    return run


def _pause_failed(run: CampaignRun) -> None:
    if run.campaign.status == states.State.SCHEDULED:
        _change_status(run.campaign, "start")
    if run.campaign.status == states.State.ACTIVE:
        delivery.hold(SourceType.CAMPAIGN, run.campaign_id)
        _change_status(run.campaign, "pause")
