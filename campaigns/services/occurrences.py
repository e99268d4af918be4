"""A recurring campaign goes out as a run for each of its dates: which is next, what it says, when it ends."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from accounts.models import Organization
from campaigns.domain import recurrence
from campaigns.models import Campaign, CampaignRun, RunStatus, Timing
from campaigns.services import arms
from common import clock


def first_at(campaign: Campaign, starts_at: datetime) -> datetime:
    """When the first run of a campaign that starts at `starts_at` begins."""
    if campaign.timing != Timing.RECURRING:
        return starts_at
    home = ZoneInfo(Organization.objects.get().timezone)
    again = recurrence.parse(campaign.recurrence)
    return again.after(starts_at, again.day_of(starts_at, home), home, or_at=True)


def next_at(campaign: Campaign, after: datetime) -> datetime | None:
    """The first date later than `after`; None when the campaign's end comes before it."""
    assert campaign.starts_at is not None
    home = ZoneInfo(Organization.objects.get().timezone)
    again = recurrence.parse(campaign.recurrence)
    moment = again.after(after, again.day_of(campaign.starts_at, home), home)
    return None if campaign.ends_at is not None and moment >= campaign.ends_at else moment


def plan_next(run: CampaignRun) -> None:
    """Write the run that follows, once. After a long standstill one run made up for all: dates that passed
    meanwhile are left out."""
    campaign = run.campaign
    if campaign.timing != Timing.RECURRING or run.planned_at is None:
        return
    most = recurrence.parse(campaign.recurrence).most_runs
    later = CampaignRun.objects.filter(campaign=campaign, number__gt=run.number).exclude(status=RunStatus.CANCELLED)
    if (most is not None and run.number >= most) or later.exists():
        return
    moment = next_at(campaign, max(run.planned_at, clock.now()))
    if moment is not None:
        CampaignRun.objects.create(
            campaign=campaign, content_id=run.content_id, number=run.number + 1, planned_at=moment, run_at=moment
        )


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


def replan(campaign: Campaign) -> None:
    """After a pause: a run whose date passed meanwhile takes place on the next one."""
    waiting = campaign.runs.filter(status=RunStatus.PENDING, snapshot_at=None, planned_at__isnull=False).first()
    if campaign.timing != Timing.RECURRING or waiting is None or waiting.planned_at is None:
        return
    moment = waiting.planned_at
    if moment < clock.now():
        moment = next_at(campaign, clock.now()) or clock.now()  # beyond the end: dropped when its turn comes
    campaign.runs.filter(pk=waiting.pk).update(planned_at=moment, run_at=moment)
