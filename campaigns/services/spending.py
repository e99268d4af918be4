"""What a campaign costs, and whether its budget pays for another message."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Count, Sum

from accounts.models import Organization
from campaigns.domain import budget
from campaigns.models import Campaign, CampaignRun
from common import money
from delivery.models import Message, MessageStatus, SourceType

# What never left costs nothing.
FREE = (MessageStatus.REFUSED, MessageStatus.FAILED, MessageStatus.CANCELLED)


def room(campaign: Campaign) -> int | None:
    """Messages that the budget still pays for, beside those that left or may leave; None: as many as there are."""
    return rooms([campaign])[campaign.pk]


def rooms(campaigns: Sequence[Campaign]) -> dict[int, int | None]:
    """`room` of each campaign, by its number.

    Plan: the runs of those with a budget, and messages_by_source for those messages that cost nothing.
    """
    limited = [one for one in campaigns if one.budget_minor is not None and one.message_cost_minor]
    counted: dict[int, int | None] = {one.pk: None for one in campaigns}
    if not limited:
        return counted
    ids = [one.pk for one in limited]
    runs = CampaignRun.objects.filter(campaign__in=ids).values("campaign")
    written = dict(runs.annotate(count=Sum("queued_count")).values_list("campaign", "count"))
    unsent = Message.objects.filter(source_type=SourceType.CAMPAIGN, source_id__in=ids, status__in=FREE)
    free = dict(unsent.values("source_id").annotate(count=Count("pk")).values_list("source_id", "count"))
    for one in limited:
        used = written.get(one.pk, 0) - free.get(one.pk, 0)
        counted[one.pk] = budget.room(one.budget_minor, one.cost_minor, one.message_cost_minor, used)
    return counted


def exhausted(run: CampaignRun) -> str:
    """Why no more messages go out, and what helps."""
    currency = Organization.objects.get().currency
    waiting = run.target_count - run.queued_count
    shown = money.show(run.campaign.budget_minor, currency)
    return f"The budget of {shown} is used up; {waiting:,} people wait. Raise it and resume, or cancel the campaign."
