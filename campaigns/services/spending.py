"""What a campaign costs, and whether its budget pays for another message."""

from __future__ import annotations

from django.db.models import Sum

from accounts.models import Organization
from campaigns.domain import budget
from campaigns.models import Campaign, CampaignRun
from common import money
from delivery.models import Message, MessageStatus, SourceType

# What never left costs nothing.
FREE = (MessageStatus.REFUSED, MessageStatus.FAILED, MessageStatus.CANCELLED)


def room(campaign: Campaign) -> int | None:
    """Messages that the budget still pays for, beside those that left or may leave; None: as many as there are.

    Plan: the campaign's runs, and messages_by_source for those that cost nothing.
    """
    if campaign.budget_minor is None or not campaign.message_cost_minor:
        return None
    written = campaign.runs.aggregate(count=Sum("queued_count"))["count"] or 0
    free = Message.objects.filter(source_type=SourceType.CAMPAIGN, source_id=campaign.pk, status__in=FREE).count()
    return budget.room(campaign.budget_minor, campaign.cost_minor, campaign.message_cost_minor, written - free)


def exhausted(run: CampaignRun) -> str:
    """Why no more messages go out, and what helps."""
    currency = Organization.objects.get().currency
    waiting = run.target_count - run.queued_count
    shown = money.show(run.campaign.budget_minor, currency)
    return f"The budget of {shown} is used up; {waiting:,} people wait. Raise it and resume, or cancel the campaign."
