"""What came of a campaign, each number with the way to its rows."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

from accounts.models import Organization
from campaigns.models import Campaign
from common import money, tenancy
from delivery.models import SourceType

# Plan: messages_by_source for the campaign's messages, engagement_by_message for what came back. People's opens
# and clicks stand on the message; a machine's only in the engagement log.
MESSAGES_SQL = """
SELECT count(*) FILTER (WHERE status = 'sent'),
       count(opened_at), count(clicked_at), count(unsubscribed_at),
       count(*) FILTER (WHERE status = 'refused'), count(*) FILTER (WHERE status = 'failed'),
       count(*) FILTER (WHERE status = 'uncertain'), count(*)
FROM delivery_message
WHERE organization_id = %(organization)s AND source_type = %(source_type)s AND source_id = %(campaign)s
"""
ENGAGEMENT_SQL = """
SELECT engagement.kind, engagement.is_machine, count(DISTINCT engagement.message_id), bool_or(engagement.is_simulated)
FROM delivery_message message
JOIN delivery_engagement engagement
  ON engagement.message_id = message.id AND engagement.organization_id = message.organization_id
WHERE message.organization_id = %(organization)s
  AND message.source_type = %(source_type)s AND message.source_id = %(campaign)s
GROUP BY 1, 2
"""
TARGETS_SQL = """
SELECT count(*), count(viewed_at), count(converted_at)
FROM campaigns_target
WHERE organization_id = %(organization)s AND campaign_id = %(campaign)s AND NOT is_held_out
"""
VALUES_SQL = """
SELECT conversion_currency, sum(conversion_value_minor)::bigint
FROM campaigns_target
WHERE organization_id = %(organization)s AND campaign_id = %(campaign)s AND conversion_value_minor IS NOT NULL
GROUP BY 1 ORDER BY 1
"""


@dataclass(frozen=True)
class Value:
    currency: str
    value_minor: int


@dataclass(frozen=True)
class Report:
    """Distinct messages and contacts; `*_rate` is a share of messages sent (conversions: of targets), 0–1."""

    target_count: int
    message_count: int
    sent_count: int
    refused_count: int
    failed_count: int
    uncertain_count: int
    open_count: int
    click_count: int
    unsubscribe_count: int
    machine_open_count: int
    machine_click_count: int
    bounce_count: int
    complaint_count: int
    view_count: int
    conversion_count: int
    conversion_values: list[Value]
    open_rate: float | None
    click_rate: float | None
    unsubscribe_rate: float | None
    bounce_rate: float | None
    view_rate: float | None
    conversion_rate: float | None
    is_simulated: bool


def report(campaign: Campaign) -> Report:
    """The campaign's numbers by now; four queries."""
    parameters: dict[str, int | str] = {
        "organization": tenancy.required(),
        "source_type": SourceType.CAMPAIGN.value,
        "campaign": campaign.pk,
    }
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(MESSAGES_SQL, parameters)
        sent, opened, clicked, unsubscribed, refused, failed, uncertain, messages = cursor.fetchone()
        cursor.execute(ENGAGEMENT_SQL, parameters)
        engaged = cursor.fetchall()
        cursor.execute(TARGETS_SQL, parameters)
        targets, viewed, converted = cursor.fetchone()
        cursor.execute(VALUES_SQL, parameters)
        values = [Value(currency, value_minor) for currency, value_minor in cursor.fetchall()]
    came_back = {(kind, is_machine): count for kind, is_machine, count, _ in engaged}
    bounced = came_back.get(("bounce", False), 0) + came_back.get(("bounce", True), 0)
    complained = came_back.get(("complaint", False), 0) + came_back.get(("complaint", True), 0)
    return Report(
        target_count=targets,
        message_count=messages,
        sent_count=sent,
        refused_count=refused,
        failed_count=failed,
        uncertain_count=uncertain,
        open_count=opened,
        click_count=clicked,
        unsubscribe_count=unsubscribed,
        machine_open_count=came_back.get(("open", True), 0),
        machine_click_count=came_back.get(("click", True), 0),
        bounce_count=bounced,
        complaint_count=complained,
        view_count=viewed,
        conversion_count=converted,
        conversion_values=values,
        open_rate=_share(opened, sent),
        click_rate=_share(clicked, sent),
        unsubscribe_rate=_share(unsubscribed, sent),
        bounce_rate=_share(bounced, sent),
        view_rate=_share(viewed, targets),
        conversion_rate=_share(converted, targets),
        is_simulated=any(row[3] for row in engaged),
    )


def cost_shown(campaign: Campaign) -> str:
    """The campaign's cost in the organisation's currency."""
    return money.show(campaign.cost_minor, Organization.objects.get().currency)


def message_cost_shown(campaign: Campaign) -> str:
    """What one message costs, to the last digit that counts."""
    currency = Organization.objects.get().currency
    cost = campaign.message_cost_minor
    return money.show_part(cost, currency) if cost else "Nothing."


def budget_shown(campaign: Campaign) -> str:
    """The most that the campaign may cost."""
    if campaign.budget_minor is None:
        return "None."
    return money.show(campaign.budget_minor, Organization.objects.get().currency)


def _share(part: int, whole: int) -> float | None:
    """None when there is nothing to divide by: no rate is not a rate of zero."""
    return round(part / whole, 4) if whole else None
