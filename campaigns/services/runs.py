"""The worker's side: which run is due, one step of it at a time (services/steps), and what happens when one fails.

One step is one transaction that holds the campaign and its run: a worker that dies mid-step leaves nothing
behind, and the next one goes on from `queued_through_id`. Message keys make even a repeated step harmless.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import timedelta

from django.db import transaction

from campaigns.domain import states
from campaigns.models import Campaign, CampaignRun, RunStatus
from campaigns.services import crowds, steps
from common import claims, clock, doorbell, tenancy
from common.errors import Permanent, Transient

logger = logging.getLogger(__name__)

MOST_ATTEMPTS = 10
# So long steps of one go on before the many are looked for again, which costs as much as several of them.
MOMENT_SECONDS = 0.25
RUNNING = (states.State.SCHEDULED, states.State.ACTIVE)


def work(organization_id: int) -> int:
    """Take every step that is due in one organisation; returns how many were taken."""
    taken, crowd = 0, [crowds.begin, crowds.go_on]
    with tenancy.organization(organization_id):
        while count := _round(crowd):
            taken += count
    return taken


def organizations_due() -> list[int]:
    """Organisations with a run to advance. Plan: the partial index campaign_runs_due."""
    return doorbell.organizations_with("campaigns_campaignrun", "status = 'pending' AND run_at <= %s", [clock.now()])


def settled(campaign_id: int) -> None:
    """Close the campaign's runs whose last message has settled. Waits for a step that is under way."""
    with transaction.atomic():
        if Campaign.objects.select_for_update(no_key=True).filter(pk=campaign_id).first() is None:
            return
        queued = CampaignRun.objects.filter(campaign=campaign_id, status=RunStatus.PENDING, is_queued=True)
        for run in queued.select_related("campaign").order_by("pk"):
            steps.finish_or_wait(run)


def _round(crowd: list[Callable[[], int]]) -> int:
    """Beginnings of many, which none should wait for; else blocks of many and some steps of one. What fails among
    many is left, `crowd` is emptied: until the next call each takes its own steps, and the one that fails waits."""
    count = 0
    for act in tuple(crowd):
        try:
            with transaction.atomic():
                count += act()
        except Exception:
            logger.exception("Campaigns could not go on together; each goes on by itself.")
            crowd.clear()
        if count and act is crowds.begin:
            return count
    return count + _some_steps()


def _some_steps() -> int:
    until = time.monotonic() + MOMENT_SECONDS
    count = 0
    while _step():
        count += 1
        if time.monotonic() >= until:
            break
    return count


def _step() -> bool:
    """Claim one due run and advance it by one step; False when none is due."""
    run_id = 0
    try:
        with transaction.atomic():
            run = _claim()
            if run is None:
                return False
            run_id = run.pk
            steps.advance(run)
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
            steps.pause_by_worker(run)
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
