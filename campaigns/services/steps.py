"""One step of a run at a time: its snapshot, a block of messages, the look whether all have settled.

The caller holds the campaign and the run in one transaction (services/runs).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.utils.text import slugify

from accounts import audit
from campaigns.domain import pacing, states
from campaigns.models import Campaign, CampaignRun, RunStatus, Timing
from campaigns.selectors import audience
from campaigns.services import arms, blocks, control, deciding, habits, occurrences, offer_codes, snapshots, spending
from common import clock, tenancy
from common.errors import Permanent
from delivery import services as delivery
from delivery.models import SourceType
from segments.models import Segment, SegmentStatus

SEGMENT_WAIT_SECONDS = 2
FAR_AWAY = datetime(9999, 1, 1, tzinfo=UTC)
BLOCK_SQL = """
SELECT contact_id, 'campaign:' || run_id || ':' || contact_id AS idempotency_key,
       greatest(send_at, %(written_at)s) AS run_at
FROM campaigns_target
WHERE organization_id = %(organization)s AND run_id = %(run)s AND id > %(after)s AND id <= %(through)s
  AND NOT is_held_out AND coalesce(arm_id, %(arm_of_rest)s, 0) = ANY(%(arms)s)
ORDER BY id
"""


def advance(run: CampaignRun) -> None:
    """Take the next step of a run that is due."""
    ends_at = run.campaign.ends_at
    if run.snapshot_at is None:
        _begin(run)
    elif ends_at is not None and ends_at <= clock.now():
        _end(run)
    elif deciding.is_over(run):
        deciding.by_time(run)
    elif not run.is_queued:
        _queue_block(run)
    else:
        finish_or_wait(run)


def _begin(run: CampaignRun) -> None:
    """Fix who is addressed, and open the campaign. What is not ready yet is waited for."""
    if occurrences.is_over(run):
        occurrences.drop(run)
        _close_if_last(run)
        return
    chosen = audience.segment_ids(run.campaign)
    if waiting := _unbuilt(chosen.include + chosen.exclude):
        run.error = f"Waiting for the segment “{waiting}” to be built."
        run.run_at = clock.now() + timedelta(seconds=SEGMENT_WAIT_SECONDS)
        run.save(update_fields=["error", "run_at"])
        return
    if run.campaign.timing == Timing.BEST and run.content_id is not None and habits.is_stale():
        habits.learn()
    occurrences.take_content(run)
    run.winner = arms.standing_winner(run.campaign)
    snapshots.write(run, chosen, arms.begin(run.campaign))
    offer_codes.give(run.campaign)
    run.error, run.is_queued = "", run.content_id is None
    run.run_at = clock.now()  # behind those that are due and have not begun
    run.save(update_fields=[*snapshots.FIELDS, "winner", "content", "is_queued", "error", "run_at"])
    if run.campaign.status == states.State.SCHEDULED:
        change_status(run.campaign, "start")
    occurrences.plan_next([run])


def _unbuilt(segment_ids: list[int]) -> str:
    """The name of a segment that is still being built; raises `Permanent` for one that failed."""
    for segment in Segment.objects.filter(pk__in=segment_ids).exclude(status=SegmentStatus.READY):
        if segment.status == SegmentStatus.FAILED:
            raise Permanent(f"The segment “{segment}” could not be built; mend its rule, then resume.")
        return segment.name
    return ""


def _queue_block(run: CampaignRun) -> None:
    """Hand one block of messages to delivery and move the cursor, in the same transaction."""
    now = clock.now()
    room = spending.room(run.campaign)
    block = blocks.ends([run], {run.campaign_id: room}, now)[run.pk]
    if block.due and room == 0:
        _wait_for_money(run)
        return
    parameters = {"organization": tenancy.required(), "run": run.pk, "after": run.queued_through_id}
    count = _queue(run, parameters | {"through": block.through, "written_at": now}) if block.due else 0
    blocks.move(run, block, count, now)
    if block.is_last and run.is_testing:
        deciding.wait(run)
    elif block.is_last:
        run.is_queued, run.run_at = True, now
    run.save(update_fields=blocks.FIELDS)


def _queue(run: CampaignRun, parameters: dict[str, object]) -> int:
    """Write the messages of a block, one statement for each content of its arms; returns how many were new."""
    parameters |= {"arm_of_rest": run.winner_id}
    own = dict(run.arms.values_list("arm_id", "content_id"))
    experiment = run.campaign.experiment
    arm_ids = [0, *experiment.arms.values_list("pk", flat=True)] if experiment is not None else [0]
    by_content: dict[int | None, list[int]] = {}
    for arm_id in arm_ids:
        by_content.setdefault(own.get(arm_id, run.content_id), []).append(arm_id)
    return sum(_write(run, pk, parameters | {"arms": ids}) for pk, ids in by_content.items())


def _write(run: CampaignRun, content_id: int | None, parameters: dict[str, object]) -> int:
    assert content_id is not None
    return delivery.queue_selected(
        BLOCK_SQL,
        parameters,
        content_id=content_id,
        source_type=SourceType.CAMPAIGN,
        source_id=run.campaign_id,
        topic_id=run.campaign.topic_id,
        sender_id=run.campaign.sender_id,
        utm_campaign=run.campaign.utm_campaign or slugify(run.campaign.name),
        weight=run.campaign.weight,
        shelf_hours=run.campaign.shelf_hours,
        is_timed=True,
    )


def _wait_for_money(run: CampaignRun) -> None:
    """The budget pays for no more messages: while some may still be refused, wait for that; else stop and say so."""
    if control.has_unsettled_messages(run.campaign):
        run.error = "The budget is used up, unless some of the waiting messages turn out not to be sent."
        run.run_at = look_again_at(run)
        run.save(update_fields=["error", "run_at"])
        return
    run.status, run.error = RunStatus.HELD, spending.exhausted(run)
    run.save(update_fields=["status", "error"])
    pause_by_worker(run)


def _end(run: CampaignRun) -> None:
    """The campaign's end has come: what has not left stays here."""
    if run.content_id is not None:
        delivery.cancel(SourceType.CAMPAIGN, run.campaign_id)
    run.is_queued = True
    run.save(update_fields=["is_queued"])
    finish_or_wait(run)


def finish_or_wait(run: CampaignRun) -> None:
    """Close the run, and the campaign with its last one; or say when to look again."""
    wake_at = _wake_at(run)
    if wake_at is not None:
        CampaignRun.objects.filter(pk=run.pk).update(run_at=wake_at)
        return
    CampaignRun.objects.filter(pk=run.pk).update(status=RunStatus.DONE, finished_at=clock.now())
    occurrences.plan_next([run])
    _close_if_last(run)


def _close_if_last(run: CampaignRun) -> None:
    if control.open_runs(run.campaign).exists():
        return
    if run.campaign.status == states.State.SCHEDULED:
        change_status(run.campaign, "start")
    change_status(run.campaign, "complete")


def _wake_at(run: CampaignRun) -> datetime | None:
    """When to look again; None when nothing is left to wait for."""
    now, ends_at = clock.now(), run.campaign.ends_at
    if run.content_id is not None and control.has_unsettled_messages(run.campaign, run):
        check_at = look_again_at(run)
        return min(check_at, ends_at) if ends_at is not None and ends_at > now else check_at
    if not run.campaign.offers.exists() or control.open_runs(run.campaign).exclude(pk=run.pk).exists():
        return None
    if ends_at is None:
        return FAR_AWAY  # until a person completes it; setting an end wakes the run
    return ends_at if ends_at > now else None


def look_again_at(run: CampaignRun) -> datetime:
    """Delivery announces what settles; this look of our own covers what nobody announces, ever more rarely."""
    now = clock.now()
    return now + pacing.patience(now - (run.snapshot_at or now))


def change_status(campaign: Campaign, action: str) -> None:
    """A move of the worker's, in the audit log like a person's."""
    with audit.changing(campaign, action):
        campaign.status = states.move(campaign.status, action)
        campaign.updated_at = clock.now()
        campaign.save(update_fields=["status", "updated_at"])


def pause_by_worker(run: CampaignRun) -> None:
    """Something stands in the way; the run's `error` says what. Resuming tries again."""
    if run.campaign.status == states.State.SCHEDULED:
        change_status(run.campaign, "start")
    if run.campaign.status == states.State.ACTIVE:
        control.hold_pending_runs(run.campaign)
        delivery.hold(SourceType.CAMPAIGN, run.campaign_id)
        change_status(run.campaign, "pause")
