"""What people decide about a proposal: it begins, or it is declined."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Count, Q

from campaigns.models import AutoFinding, AutoPreset, Campaign, CampaignRun, CampaignStatus, RunStatus
from campaigns.services import campaigns, offer_codes, spending
from campaigns.services.control import moving
from common import clock, doorbell
from common.errors import Invalid
from delivery import services as delivery
from delivery.models import Content


def approve(campaign: Campaign, *, expected_version: int | None = None) -> Campaign:
    """Begin a proposal now, for exactly the people that were found. Raises `Conflict`, `Invalid` by field."""
    with moving(campaign, "approve", expected_version) as held:
        start(held)
        AutoFinding.objects.filter(campaign=held).update(decided_at=clock.now(), reason="")
    return held


def decline(campaign: Campaign, reason: str, *, expected_version: int | None = None) -> Campaign:
    """Put a proposal away, with the reason; nobody was offered anything. Raises `Conflict`, `Invalid` without one."""
    said = reason.strip()[:2000]
    if not said:
        raise Invalid("Say why it is declined; it helps the next one.", details={"reason": "Say why."})
    with moving(campaign, "decline", expected_version) as held:
        held.runs.update(status=RunStatus.CANCELLED, finished_at=clock.now())
        AutoFinding.objects.filter(campaign=held).update(decided_at=clock.now(), reason=said)
    return held


def withdraw_untouched(preset: AutoPreset) -> None:
    """A newer proposal takes the place of the one nobody looked at; its people are found anew."""
    for campaign in Campaign.objects.filter(preset=preset, status=CampaignStatus.PROPOSED, version=1):
        decline(campaign, "A newer proposal took its place.")
        AutoFinding.objects.filter(campaign=campaign).update(decided_at=None)
        campaign.targets.all().delete()


def waiting_run(campaign: Campaign) -> CampaignRun:
    """The run of a campaign whose people are found and not snapshot from segments; it waits for `start`."""
    now = clock.now()
    return CampaignRun.objects.create(campaign=campaign, status=RunStatus.HELD, run_at=now, snapshot_at=now)


def count_targets(run: CampaignRun) -> int:
    """Count whom a waiting run addresses; returns how many more are held out. Plan: target_by_run, one range."""
    counts = run.targets.aggregate(whole=Count("pk"), held=Count("pk", filter=Q(is_held_out=True)))
    CampaignRun.objects.filter(pk=run.pk).update(target_count=counts["whole"] - counts["held"])
    return int(counts["held"])


def start(campaign: Campaign) -> None:
    """Give a campaign whose targets are fixed already its run. Inside the transaction that moves its state."""
    now, content = clock.now(), _content(campaign)
    spending.fix_price(campaign)
    days = [offer.valid_days for offer in campaign.offers.all()]
    if campaign.ends_at is None and days and all(days):
        campaign.ends_at = now + timedelta(days=max(day for day in days if day))
    if campaign.ends_at is not None and campaign.ends_at <= now:
        raise Invalid("It would end before it begins.", details={"ends_at": "Choose a later moment."})
    campaign.starts_at = now
    campaign.runs.filter(status=RunStatus.HELD).update(
        status=RunStatus.PENDING, content=content, run_at=now, is_queued=content is None
    )
    offer_codes.give(campaign)
    doorbell.ring(campaigns.WORK)


def _content(campaign: Campaign) -> Content | None:
    """The published content, or None for offers alone; raises `Invalid`."""
    template = campaign.template
    if template is None:
        if not campaign.offers.exists():
            raise Invalid("Choose a template to send, or add an offer to show.", details={"template": "Missing."})
        return None
    if template.published is None:
        raise Invalid(f"“{template}” is not published yet; publish it first.", details={"template": "Unpublished."})
    if nothing := delivery.no_way_for(template.channel):
        raise Invalid(nothing, details={"template": nothing})
    return template.published.content
