"""What a person should know before the launch: the cost, when the last one goes, who else writes to these people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db import connection

from accounts.models import Organization
from audience.models import MessageChannel
from campaigns.domain import budget, recurrence
from campaigns.models import Campaign, CampaignStatus, Timing
from campaigns.selectors import audience
from campaigns.selectors.audience import Chosen
from campaigns.selectors.calendar import calendar
from common import clock, money, tenancy
from delivery import services as delivery

MOST_OVERLAPS = 5
DAYS_AROUND = 1

# Plan: both audiences once, by one_open_membership each, and a hash join of the two.
OVERLAP_SQL = f"""
SELECT count(*) FROM ({audience.CONTACTS_SQL}) AS mine
  JOIN ({audience.CONTACTS_SQL.replace("(include)", "(their_include)").replace("(exclude)", "(their_exclude)")})
    AS theirs USING (contact_id)
"""
STANDING = (CampaignStatus.SCHEDULED, CampaignStatus.ACTIVE, CampaignStatus.PAUSED)


@dataclass(frozen=True)
class Overlap:
    """Another campaign of these days, and how many people both address."""

    campaign: Campaign
    at: datetime
    people: int


@dataclass(frozen=True)
class Plan:
    """`cost` and `pace` are sentences; `over_budget` says that money ends before the people do."""

    cost: str
    pace: str
    over_budget: bool
    overlaps: list[Overlap]


def plan(campaign: Campaign, reach: int, chosen: Chosen | None = None) -> Plan:
    """What launching the campaign to `reach` people costs, takes and meets."""
    parts = expected_parts(campaign)
    spent = budget.spent(campaign.cost_minor, _price(campaign), reach * parts)
    over = campaign.budget_minor is not None and spent > campaign.budget_minor
    return Plan(_cost(campaign, spent, parts, over=over), _pace(campaign, reach), over, overlaps(campaign, chosen))


def overlaps(campaign: Campaign, chosen: Chosen | None = None) -> list[Overlap]:
    """Campaigns that write within a day of this one to some of its people; the most shared first."""
    mine = chosen or audience.segment_ids(campaign)
    if not mine.include or campaign.template_id is None:
        return []
    day = (campaign.starts_at or clock.now()).astimezone(ZoneInfo(Organization.objects.get().timezone)).date()
    around = timedelta(days=DAYS_AROUND)
    others = {
        entry.campaign.pk: entry
        for entry in calendar(day - around, day + around)
        if entry.campaign.status in STANDING and entry.campaign.template_id and entry.campaign.pk != campaign.pk
    }
    counted = [Overlap(each.campaign, each.starts_at, _shared(mine, each.campaign)) for each in others.values()]
    return sorted((each for each in counted if each.people), key=lambda each: -each.people)[:MOST_OVERLAPS]


def _shared(mine: Chosen, other: Campaign) -> int:
    theirs = audience.segment_ids(other)
    values = audience.parameters(mine) | {"their_include": theirs.include, "their_exclude": theirs.exclude}
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(OVERLAP_SQL, values)
        count: int = cursor.fetchone()[0]
    return count


def expected_parts(campaign: Campaign) -> int:
    """How many times a message of the campaign pays its price: an SMS for each segment, others once."""
    template = campaign.template
    if template is None or template.published is None or template.channel != MessageChannel.SMS:
        return 1
    content = template.published.content
    return delivery.expected_parts(content.channel, content.fields, content.defaults)


def _price(campaign: Campaign) -> Decimal:
    """Its own price, or what its channel costs."""
    if campaign.message_cost_minor or campaign.template is None:
        return campaign.message_cost_minor
    return delivery.price_of(campaign.template.channel)


def _cost(campaign: Campaign, spent: int, parts: int, *, over: bool) -> str:
    currency = Organization.objects.get().currency
    each = f", each message about {parts} segments" if parts > 1 else ""
    said = f"{money.show(spent, currency)} if everybody reachable gets it{each}."
    if campaign.budget_minor is None:
        return said
    allowed = money.show(campaign.budget_minor, currency)
    return f"{said} The budget is {allowed}{': sending stops when it is spent.' if over else '.'}"


def _pace(campaign: Campaign, reach: int) -> str:
    if campaign.timing == Timing.RECURRING:
        return f"{recurrence.parse(campaign.recurrence).sentence()}" if campaign.recurrence else ""
    if campaign.timing == Timing.LOCAL:
        return f"As {campaign.local_time:%H:%M} comes by each contact's clock: within 26 hours of the start." \
            if campaign.local_time else ""  # fmt: skip
    if campaign.timing == Timing.BEST:
        return "At the hour when each contact usually reads: within a day of the start."
    if not campaign.messages_per_minute:
        return "As fast as your providers take it."
    minutes = -(-reach // campaign.messages_per_minute)
    took = f"{minutes:,} minute{'s' if minutes != 1 else ''}" if minutes < 120 else f"{minutes / 60:,.1f} hours"
    return f"At {campaign.messages_per_minute:,} a minute the last one goes about {took} after the start."
