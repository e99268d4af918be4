"""All campaigns of a span together: how many of each kind, whom they reached, what was taken, what that brought."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Count

from accounts.models import Organization
from campaigns.models import Campaign
from common import tenancy

# What is counted is counted by target: no counter can drift. Plan: the campaigns that began in the span, and the
# targets of each by one_target_per_contact.
SUMS_SQL = """
SELECT coalesce(preset.kind, CASE WHEN campaign.template_id IS NULL THEN 'offer' ELSE 'broadcast' END),
       count(*), sum(target.count), sum(target.held), sum(target.viewed), sum(target.converted), sum(target.revenue)
FROM campaigns_campaign campaign
LEFT JOIN campaigns_autopreset preset ON preset.id = campaign.preset_id AND preset.organization_id = %(organization)s
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE NOT is_held_out) AS count, count(*) FILTER (WHERE is_held_out) AS held,
           count(viewed_at) AS viewed, count(converted_at) AS converted,
           coalesce(sum(conversion_value_minor) FILTER (WHERE conversion_currency = %(currency)s), 0) AS revenue
    FROM campaigns_target target
    WHERE target.organization_id = %(organization)s AND target.campaign_id = campaign.id) AS target
WHERE campaign.organization_id = %(organization)s
  AND campaign.starts_at >= %(since)s AND campaign.starts_at <= %(until)s
  AND campaign.status NOT IN ('draft', 'proposed', 'scheduled')
GROUP BY 1 ORDER BY 2 DESC, 1
"""


@dataclass(frozen=True)
class Sums:
    """Rates are shares of targets, 0–1; None without any. Held out are no targets."""

    campaign_count: int
    target_count: int
    held_out_count: int
    view_count: int
    conversion_count: int
    revenue_minor: int

    @property
    def view_rate(self) -> float | None:
        return round(self.view_count / self.target_count, 4) if self.target_count else None

    @property
    def conversion_rate(self) -> float | None:
        return round(self.conversion_count / self.target_count, 4) if self.target_count else None


@dataclass(frozen=True)
class OfType:
    """`type`: the kind of automatic campaign, `broadcast` for what is sent, `offer` for what apps show."""

    type: str
    sums: Sums


@dataclass(frozen=True)
class Analytics:
    """Of the campaigns that began from `since` to `until`; `by_status` counts all there are now."""

    since: datetime
    until: datetime
    currency: str
    by_status: dict[str, int]
    by_type: list[OfType]
    total: Sums


def analytics(since: datetime, until: datetime) -> Analytics:
    """Two queries."""
    currency = Organization.objects.get(pk=tenancy.required()).currency
    values: dict[str, Any] = {
        "organization": tenancy.required(), "currency": currency, "since": since, "until": until,
    }  # fmt: skip
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(SUMS_SQL, values)
        rows = [(row[0], [int(value) for value in row[1:]]) for row in cursor.fetchall()]
    by_status = dict(Campaign.objects.order_by().values_list("status").annotate(Count("pk")))
    total = [sum(column) for column in zip(*(row[1] for row in rows), strict=True)] or [0] * 6
    return Analytics(
        since, until, currency, by_status, [OfType(name, Sums(*sums)) for name, sums in rows], Sums(*total)
    )
