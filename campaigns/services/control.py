"""What people do to a campaign: launch, schedule, pause, resume, complete, cancel, archive. See domain/states.py."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from accounts import versions
from campaigns.domain import states
from campaigns.models import Campaign, CampaignRun, RunStatus, Timing
from campaigns.services import arms, campaigns, occurrences, spending
from common import clock, doorbell
from common.errors import Conflict, Invalid
from delivery import services as delivery
from delivery.models import Content, Message, MessageStatus, SourceType

UNSETTLED = (MessageStatus.QUEUED, MessageStatus.HELD, MessageStatus.SENDING)


def launch(campaign: Campaign, *, at: datetime | None = None, expected_version: int | None = None) -> Campaign:
    """Start now, or at a moment to come. The template's published version is fixed here.

    Raises `Conflict` from a state that does not allow it, `Invalid` by field when something is missing.
    """
    action = "launch" if at is None else "schedule"
    with moving(campaign, action, expected_version) as held:
        now = clock.now()
        if at is not None and at <= now:
            raise Invalid("That moment has passed; leave it empty to start now.", details={"starts_at": "Is past."})
        held.starts_at = at or now
        content = _ready_content(held)
        held.runs.filter(status=RunStatus.PENDING).update(status=RunStatus.CANCELLED, finished_at=now)
        first_at = occurrences.first_at(held, held.starts_at)
        _check_end(held, first_at)
        spending.fix_price(held)
        run = CampaignRun.objects.create(campaign=held, content=content, run_at=first_at, planned_at=first_at)
        arms.fix_contents(run)
        doorbell.ring(campaigns.WORK)
    return held


def unschedule(campaign: Campaign, *, expected_version: int | None = None) -> Campaign:
    """Back to a draft; nothing has been sent."""
    with moving(campaign, "unschedule", expected_version) as held:
        _close_runs(held, RunStatus.CANCELLED)
        held.starts_at = None
    return held


def pause(campaign: Campaign, *, expected_version: int | None = None) -> Campaign:
    """Hold everything that has not left yet. Nothing is lost; resuming goes on where it stopped."""
    with moving(campaign, "pause", expected_version) as held:
        hold_pending_runs(held)
        delivery.hold(SourceType.CAMPAIGN, held.pk)
    return held


def resume(campaign: Campaign, *, expected_version: int | None = None) -> Campaign:
    """Go on where the pause, or a failure, stopped it."""
    with moving(campaign, "resume", expected_version) as held:
        _check_money(held)
        held.runs.filter(status__in=[RunStatus.HELD, RunStatus.FAILED]).update(
            status=RunStatus.PENDING, attempts=0, error="", run_at=clock.now()
        )
        occurrences.replan(held)
        delivery.release(SourceType.CAMPAIGN, held.pk)
        doorbell.ring(campaigns.WORK)
    return held


def cancel(campaign: Campaign, *, expected_version: int | None = None) -> Campaign:
    """Stop for good: what has not left is cancelled, what was sent stays in the report."""
    with moving(campaign, "cancel", expected_version) as held:
        _close_runs(held, RunStatus.CANCELLED)
        arms.stop(held, "The campaign was cancelled.")
        delivery.cancel(SourceType.CAMPAIGN, held.pk)
    return held


def complete(campaign: Campaign, *, expected_version: int | None = None) -> Campaign:
    """End an offer, or a recurring campaign, before its time.

    Raises `Conflict` while messages are still to go: that is a cancellation.
    """
    with moving(campaign, "complete", expected_version) as held:
        begun = held.runs.filter(is_queued=False, status=RunStatus.PENDING, snapshot_at__isnull=False)
        first = held.runs.filter(number=1, snapshot_at=None, status=RunStatus.PENDING)
        if begun.exists() or first.exists() or has_unsettled_messages(held):
            raise Conflict(
                "Messages are still going out; wait for them, or cancel the campaign.", code="state_forbids"
            )
        _close_runs(held, RunStatus.DONE)
    return held


def archive(campaign: Campaign, *, expected_version: int | None = None) -> Campaign:
    """Out of the daily lists; its numbers stay."""
    with moving(campaign, "archive", expected_version) as held:
        pass
    return held


def has_unsettled_messages(campaign: Campaign, run: CampaignRun | None = None) -> bool:
    """Whether a message of this campaign, or of this run of it, may still go out.

    Plan: one probe per status in messages_by_source; of a recurring campaign, those of it that are not settled.
    """
    waiting = Message.objects.filter(source_type=SourceType.CAMPAIGN, source_id=campaign.pk, status__in=UNSETTLED)
    if run is not None and campaign.timing == Timing.RECURRING:
        waiting = waiting.filter(idempotency_key__startswith=f"campaign:{run.pk}:")
    return waiting.exists()


def open_runs(campaign: Campaign) -> QuerySet[CampaignRun]:
    """Runs that are not over."""
    return campaign.runs.filter(status__in=[RunStatus.PENDING, RunStatus.HELD, RunStatus.FAILED])


def hold_pending_runs(campaign: Campaign) -> None:
    """They wait until the campaign goes on."""
    campaign.runs.filter(status=RunStatus.PENDING).update(status=RunStatus.HELD)


@contextmanager
def moving(campaign: Campaign, action: str, expected_version: int | None) -> Iterator[Campaign]:
    """Hold the campaign, check that `action` is allowed, and write the new state with its audit entry."""
    with transaction.atomic():
        held = versions.lock(Campaign, campaign.pk)
        versions.check(held, expected_version)
        target = states.move(held.status, action)
        with campaigns.recorded(held, action):
            yield held
            held.status = target
            versions.write(held, {})


def _ready_content(campaign: Campaign) -> Content | None:
    """The published content, or None for a campaign of offers alone; raises `Invalid` by field."""
    missing: dict[str, str] = {}
    if not campaign.audience.filter(is_excluded=False).exists():
        missing["audience"] = "Choose at least one segment to address."
    content = arms.first_content(campaign) if not missing else None
    if campaign.template is None and content is None and not campaign.offers.exists():
        missing["template"] = "Choose a template to send, or add an offer to show."
    if campaign.template is not None and campaign.template.published is None:
        missing["template"] = f"“{campaign.template}” is not published yet; publish it first."
    elif campaign.template is not None and (nothing := delivery.no_way_for(campaign.template.channel)):
        missing["template"] = nothing
    if campaign.ends_at is not None and campaign.starts_at is not None and campaign.ends_at <= campaign.starts_at:
        missing["ends_at"] = "The campaign would end before it starts."
    missing |= arms.missing(campaign) | _missing_of_timing(campaign)
    if missing:
        raise Invalid("The campaign cannot start yet: " + " ".join(missing.values()), details=missing)
    return arms.first_content(campaign)


def _missing_of_timing(campaign: Campaign) -> dict[str, str]:
    """What its timing and its budget still need, by field."""
    missing: dict[str, str] = {}
    if campaign.timing == Timing.LOCAL and campaign.local_time is None:
        missing["local_time"] = "Say at what time of each contact's day it goes out."
    if campaign.timing == Timing.RECURRING and not campaign.recurrence:
        missing["recurrence"] = "Say how often it goes out."
    if campaign.timing in (Timing.LOCAL, Timing.BEST) and campaign.template is None:
        missing["timing"] = "Offers alone are shown from the start; only messages can wait for a contact's time."
    if campaign.budget_minor is not None and campaign.budget_minor <= campaign.cost_minor:
        missing["budget_minor"] = "The fixed cost alone uses up the budget."
    return missing


def _check_end(campaign: Campaign, first_at: datetime) -> None:
    if campaign.ends_at is not None and campaign.ends_at <= first_at:
        sentence = "The campaign would end before it goes out for the first time."
        raise Invalid(sentence, details={"ends_at": sentence})


def _check_money(campaign: Campaign) -> None:
    """Raises `Conflict` when a run stopped for want of money and there is still none."""
    stopped = open_runs(campaign).filter(snapshot_at__isnull=False, is_queued=False).exists()
    if stopped and spending.room(campaign) == 0 and not has_unsettled_messages(campaign):
        raise Conflict("The budget is used up. Raise it, then resume.", code="budget_used_up")


def _close_runs(campaign: Campaign, status: RunStatus) -> None:
    open_runs(campaign).update(status=status, finished_at=clock.now())
