"""Many small campaigns that are due at once go on together: audiences, moments and messages in a dozen statements.

One by one they take forty statements each, and the last of a few hundred would begin long after its moment: weekly at
nine is when all weekly ones are due. Together go those that are sent at once, by contacts' clocks, at best times and
again and again, paced or with a budget. Arms, offers and large audiences take their own steps (services/steps).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime

from django.db import connection
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Sum
from django.utils.text import slugify

from accounts import audit
from campaigns.domain import pacing, states
from campaigns.models import Campaign, CampaignAudience, CampaignRun, Offer, RunStatus, Timing
from campaigns.services import blocks, crowd_targets, habits, occurrences, spending, steps
from common import clock, tenancy
from delivery import services as delivery
from delivery.models import SourceType
from segments.models import SegmentStatus

MOST = 250
MOST_PEOPLE = 20_000  # of all runs of a crowd: none waits long for the others
FEWEST = 2  # alone a campaign takes its own steps
SMALL_PACE = 12_000  # a minute; its blocks are small
Sizes = Callable[[Sequence[CampaignRun]], dict[int, int]]  # by run

# Plan: target_by_run, a range of each of the runs.
MESSAGES_SQL = """
SELECT target.contact_id, 'campaign:' || target.run_id || ':' || target.contact_id AS idempotency_key, run.content_id,
       target.campaign_id AS source_id, campaign.topic_id, campaign.sender_id, run.utm_campaign, campaign.weight,
       campaign.shelf_hours, greatest(target.send_at, %(written_at)s) AS run_at
FROM unnest(%(runs)s::bigint[], %(after)s::bigint[], %(through)s::bigint[], %(contents)s::bigint[], %(utm)s::text[])
  AS run(id, after, through, content_id, utm_campaign)
JOIN campaigns_target target ON target.organization_id = %(organization)s AND target.run_id = run.id
 AND target.id > run.after AND target.id <= run.through AND NOT target.is_held_out
JOIN campaigns_campaign campaign ON campaign.id = target.campaign_id
"""
# What a crowd changes of a run, and its type. Plan: the primary key.
STANDING = {
    "content_id": "bigint", "snapshot_at": "timestamptz", "target_count": "int", "timed_by": "jsonb",
    "queued_through_id": "bigint", "queued_count": "int", "run_at": "timestamptz", "is_queued": "boolean",
    "attempts": "int", "error": "text",
}  # fmt: skip
SAVE_SQL = f"""
UPDATE campaigns_campaignrun run SET {", ".join(f"{name} = new.{name}" for name in STANDING)}
FROM unnest(%(id)s::bigint[], {", ".join(f"%({name})s::{type}[]" for name, type in STANDING.items())})
  AS new(id, {", ".join(STANDING)})
WHERE run.id = new.id AND run.organization_id = %(organization)s
"""


def begin() -> int:
    """Fix the audiences of what is due and write the first messages, in the caller's transaction; returns how many
    campaigns that were."""
    runs = _few(_beginning(), _audiences)
    if len(runs) < FEWEST:
        return 0
    if any(run.campaign.timing == Timing.BEST for run in runs) and habits.is_stale():
        habits.learn()
    occurrences.take_contents(runs)
    crowd_targets.write(runs)
    now = clock.now()
    for run in runs:
        run.run_at = now
    _write_blocks(runs, now)
    _save(runs)
    _open([run.campaign for run in runs if run.campaign.status == states.State.SCHEDULED])
    occurrences.plan_next(runs)
    return len(runs)


def go_on() -> int:
    """Write the next block of messages of what is due, in the caller's transaction; returns of how many runs."""
    runs = _few(_sending(), _block_sizes)
    if len(runs) < FEWEST:
        return 0
    written = _write_blocks(runs, clock.now())
    _save(written)
    return len(written)


def _due() -> QuerySet[CampaignRun]:
    """Due runs without arms that did not fail, with their campaigns, the longest due first.

    Plan: campaign_runs_due."""
    now = clock.now()
    return (
        CampaignRun.objects.select_for_update(skip_locked=True, no_key=True, of=("self", "campaign"))
        .select_related("campaign__template__published")
        .filter(status=RunStatus.PENDING, run_at__lte=now, attempts=0, content__isnull=False)
        .filter(Q(campaign__ends_at=None) | Q(campaign__ends_at__gt=now), campaign__experiment=None)
        .order_by("run_at", "pk")
    )


def _beginning() -> QuerySet[CampaignRun]:
    """Those that have not begun, to small segments that are ready."""
    unready = CampaignAudience.objects.filter(campaign=OuterRef("campaign_id")).exclude(
        segment__status=SegmentStatus.READY, segment__member_count__lte=pacing.FULL_BLOCK
    )
    return (
        _due()
        .filter(snapshot_at=None, campaign__status__in=(states.State.SCHEDULED, states.State.ACTIVE))
        .exclude(campaign__timing=Timing.RECURRING, campaign__template__published=None)
        .filter(~Exists(unready), ~Exists(Offer.objects.filter(campaign=OuterRef("campaign_id"))))
    )


def _sending() -> QuerySet[CampaignRun]:
    """Those that have begun, and whose next block is small."""
    is_small = Q(target_count__lte=F("queued_count") + pacing.FULL_BLOCK // 5) | Q(
        campaign__messages_per_minute__lte=SMALL_PACE
    )
    return _due().filter(
        is_small, snapshot_at__isnull=False, is_queued=False, test_through_id=0, campaign__status=states.State.ACTIVE
    )


def _few(due: QuerySet[CampaignRun], sizes: Sizes) -> list[CampaignRun]:
    """The first of them that are not too many people together, one run of each campaign."""
    first: dict[int, CampaignRun] = {}
    for run in due[:MOST]:
        first.setdefault(run.campaign_id, run)
    runs, people = list(first.values()), 0
    size_of, taken = sizes(runs), list[CampaignRun]()
    for run in runs:
        people += size_of.get(run.pk, 0)
        if taken and people > MOST_PEOPLE:
            break
        taken.append(run)
    return taken


def _audiences(runs: Sequence[CampaignRun]) -> dict[int, int]:
    """How many people each run may address at most."""
    included = CampaignAudience.objects.filter(campaign__in=[run.campaign_id for run in runs], is_excluded=False)
    counts = included.values("campaign").annotate(people=Sum("segment__member_count"))
    by_campaign = dict(counts.values_list("campaign", "people"))
    return {run.pk: by_campaign.get(run.campaign_id, 0) for run in runs}


def _block_sizes(runs: Sequence[CampaignRun]) -> dict[int, int]:
    return {
        run.pk: min(pacing.block(run.campaign.messages_per_minute).size, run.target_count - run.queued_count)
        for run in runs
    }


def _write_blocks(runs: Sequence[CampaignRun], now: datetime) -> list[CampaignRun]:
    """Write what of each run is due and move its cursor; returns those whose budget is not used up."""
    rooms = spending.rooms([run.campaign for run in runs])
    found = blocks.ends(runs, rooms, now)
    able = [run for run in runs if rooms[run.campaign_id] != 0 or not found[run.pk].due]
    counts = _write_messages([run for run in able if found[run.pk].due], found, now)
    for run in able:
        blocks.move(run, found[run.pk], counts.get(run.campaign_id, 0), now)
        if found[run.pk].is_last:
            run.is_queued, run.run_at = True, _look_at(run, now)
    return able


def _look_at(run: CampaignRun, now: datetime) -> datetime:
    """When to look whether all have settled: at once where there is nothing to wait for."""
    if not run.queued_count:
        return now
    look_at, ends_at = steps.look_again_at(run), run.campaign.ends_at
    return min(look_at, ends_at) if ends_at is not None else look_at


def _write_messages(runs: Sequence[CampaignRun], found: dict[int, blocks.Block], now: datetime) -> dict[int, int]:
    """Hand the blocks to delivery; how many messages were new, by campaign."""
    if not runs:
        return {}
    parameters = {
        "runs": [run.pk for run in runs],
        "after": [run.queued_through_id for run in runs],
        "through": [found[run.pk].through for run in runs],
        "contents": [run.content_id for run in runs],
        "utm": [run.campaign.utm_campaign or slugify(run.campaign.name) for run in runs],
        "written_at": now,
    }
    return delivery.queue_sources(MESSAGES_SQL, parameters, source_type=SourceType.CAMPAIGN)


def _save(runs: Sequence[CampaignRun]) -> None:
    """Keep where the runs stand, in one statement."""
    parameters = {name: [getattr(run, name) for run in runs] for name in STANDING}
    parameters["timed_by"] = [json.dumps(run.timed_by) for run in runs]
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(SAVE_SQL, parameters | {"organization": tenancy.required(), "id": [run.pk for run in runs]})


def _open(campaigns: Sequence[Campaign]) -> None:
    """From scheduled to active, each with its line in the audit log."""
    if not campaigns:
        return
    status = states.move(states.State.SCHEDULED, "start")
    Campaign.objects.filter(pk__in=[each.pk for each in campaigns]).update(status=status, updated_at=clock.now())
    before, after = {"status": states.State.SCHEDULED.value}, {"status": states.State.ACTIVE.value}
    audit.record_alike("start", campaigns, before=before, after=after)
