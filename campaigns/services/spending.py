"""What a campaign costs, and whether its budget pays for another message."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Case, Count, F, Sum, Value, When

from accounts.models import Organization
from audience.models import MessageChannel
from campaigns.domain import budget
from campaigns.models import Campaign, CampaignRun
from campaigns.selectors import expected_parts
from common import money
from delivery import services as delivery
from delivery.models import Message, MessageStatus, SourceType

# What never left costs nothing.
LEFT = (MessageStatus.SENT, MessageStatus.UNCERTAIN)
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
    texts = [one for one in limited if one.template is not None and one.template.channel == MessageChannel.SMS]
    plain = [one for one in limited if one not in texts]
    used = _messages([one.pk for one in plain])
    for one in plain:
        counted[one.pk] = budget.room(one.budget_minor, one.cost_minor, one.message_cost_minor, used[one.pk])
    for one in texts:
        parts = expected_parts(one)
        counted[one.pk] = budget.room(
            one.budget_minor, one.cost_minor, one.message_cost_minor, _parts(one, parts), parts
        )
    return counted


def _messages(ids: Sequence[int]) -> dict[int, int]:
    """Messages that left or may leave, by campaign."""
    runs = CampaignRun.objects.filter(campaign__in=ids).values("campaign")
    written = dict(runs.annotate(count=Sum("queued_count")).values_list("campaign", "count"))
    unsent = Message.objects.filter(source_type=SourceType.CAMPAIGN, source_id__in=ids, status__in=FREE)
    free = dict(unsent.values("source_id").annotate(count=Count("pk")).values_list("source_id", "count"))
    return {pk: written.get(pk, 0) - free.get(pk, 0) for pk in ids}


def _parts(campaign: Campaign, expected: int) -> int:
    """… and what they count: those that left as many parts as they had, the others as many as expected.

    Plan: messages_by_source, all of one campaign.
    """
    paid = Case(When(status__in=LEFT, then=F("parts")), default=Value(expected))
    written = Message.objects.filter(source_type=SourceType.CAMPAIGN, source_id=campaign.pk)
    return written.exclude(status__in=FREE).aggregate(sum=Sum(paid))["sum"] or 0


def fix_price(campaign: Campaign) -> None:
    """A campaign without a price of its own pays what its channel costs when it starts. The caller saves it."""
    if not campaign.message_cost_minor and campaign.template is not None:
        campaign.message_cost_minor = delivery.price_of(campaign.template.channel)


def exhausted(run: CampaignRun) -> str:
    """Why no more messages go out, and what helps."""
    currency = Organization.objects.get().currency
    waiting = run.target_count - run.queued_count
    shown = money.show(run.campaign.budget_minor, currency)
    return f"The budget of {shown} is used up; {waiting:,} people wait. Raise it and resume, or cancel the campaign."
