"""A recurring campaign goes out as a run for each of its dates: which is next, what it says, when it ends."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db.models import Max

from accounts.models import Organization
from campaigns.domain import recurrence
from campaigns.models import Campaign, CampaignRun, RunStatus, Timing
from campaigns.services import arms
from common import clock


def first_at(campaign: Campaign, starts_at: datetime) -> datetime:
    """When the first run of a campaign that starts at `starts_at` begins."""
    if campaign.timing != Timing.RECURRING:
        return starts_at
    home = _home()
    again = recurrence.parse(campaign.recurrence)
    return again.after(starts_at, again.day_of(starts_at, home), home, or_at=True)


def next_at(campaign: Campaign, after: datetime, home: ZoneInfo) -> datetime | None:
    """The first date later than `after`; None when the campaign's end comes before it."""
    assert campaign.starts_at is not None
    again = recurrence.parse(campaign.recurrence)
    moment = again.after(after, again.day_of(campaign.starts_at, home), home)
    return None if campaign.ends_at is not None and moment >= campaign.ends_at else moment


def plan_next(runs: Sequence[CampaignRun]) -> None:
    """Write the runs that follow these, once. After a long standstill one run made up for all: dates that passed
    meanwhile are left out."""
    recurring = [run for run in runs if run.campaign.timing == Timing.RECURRING and run.planned_at is not None]
    if not recurring:
        return
    written = CampaignRun.objects.filter(campaign__in=[run.campaign_id for run in recurring])
    newest = written.exclude(status=RunStatus.CANCELLED).values("campaign").annotate(number=Max("number"))
    last = dict(newest.values_list("campaign", "number"))
    home, now = _home(), clock.now()
    last_ones = [run for run in recurring if last.get(run.campaign_id, 0) <= run.number]
    following = [run for one in last_ones if (run := _following(one, home, now)) is not None]
    CampaignRun.objects.bulk_create(following)


def _following(run: CampaignRun, home: ZoneInfo, now: datetime) -> CampaignRun | None:
    assert run.planned_at is not None
    most = recurrence.parse(run.campaign.recurrence).most_runs
    moment = next_at(run.campaign, max(run.planned_at, now), home)
    if moment is None or (most is not None and run.number >= most):
        return None
    return CampaignRun(
        campaign=run.campaign, content_id=run.content_id, number=run.number + 1, planned_at=moment, run_at=moment
    )


def _home() -> ZoneInfo:
    return ZoneInfo(Organization.objects.get().timezone)


def is_over(run: CampaignRun) -> bool:
    """Whether the end of a recurring campaign came before this run began."""
    campaign = run.campaign
    ended = campaign.ends_at is not None and campaign.ends_at <= clock.now()
    return campaign.timing == Timing.RECURRING and ended


def drop(run: CampaignRun) -> None:
    """It does not take place."""
    CampaignRun.objects.filter(pk=run.pk).update(status=RunStatus.CANCELLED, finished_at=clock.now())


def take_content(run: CampaignRun) -> None:
    """Each run of a recurring campaign says what is published when it begins."""
    if run.campaign.timing == Timing.RECURRING:
        run.content = arms.first_content(run.campaign)
        arms.fix_contents(run)


def take_contents(runs: Sequence[CampaignRun]) -> None:
    """`take_content` of many without arms, whose published templates are at hand."""
    for run in runs:
        template = run.campaign.template
        if run.campaign.timing == Timing.RECURRING and template is not None and template.published is not None:
            run.content_id = template.published.content_id


def replan(campaign: Campaign) -> None:
    """After a pause: a run whose date passed meanwhile takes place on the next one."""
    waiting = campaign.runs.filter(status=RunStatus.PENDING, snapshot_at=None, planned_at__isnull=False).first()
    if campaign.timing != Timing.RECURRING or waiting is None or waiting.planned_at is None:
        return
    moment = waiting.planned_at
    if moment < clock.now():
        moment = next_at(campaign, clock.now(), _home()) or clock.now()  # beyond the end: dropped when its turn comes
    campaign.runs.filter(pk=waiting.pk).update(planned_at=moment, run_at=moment)
