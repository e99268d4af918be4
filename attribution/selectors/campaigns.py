"""What each campaign earned and cost (ATT-3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from attribution.domain import returns
from attribution.domain.models import DEFAULT_MODEL, attribution_models
from attribution.domain.returns import Tier
from attribution.selectors import drilldown, sums
from attribution.selectors.drilldown import Rows
from attribution.selectors.sums import Totals
from common.periods import Period

# A campaign's own cost belongs to the period in which it first sent (or was to start).
# Plan: messages_by_source for the ledger, a range of conversion_by_time for the credits, then one row a campaign.
ROI_SQL = f"""
WITH ledger AS (
    SELECT source_id AS campaign_id, min(sent_at) AS first_sent_at,
           count(*) FILTER (WHERE sent_at >= %(start)s AND sent_at < %(end)s) AS sends,
           sum(parts) FILTER (WHERE sent_at >= %(start)s AND sent_at < %(end)s) AS parts,
           count(*) FILTER (WHERE sent_at >= %(start)s AND sent_at < %(end)s AND opened_at IS NOT NULL) AS opened,
           count(*) FILTER (WHERE sent_at >= %(start)s AND sent_at < %(end)s AND clicked_at IS NOT NULL) AS clicked
    FROM delivery_message
    WHERE organization_id = %(organization)s AND source_type = 'campaign' AND sent_at IS NOT NULL
      AND (%(only)s::bigint IS NULL OR source_id = %(only)s)
    GROUP BY 1
), earned AS (
    SELECT touchpoint.campaign_id, sum(credit.amount_minor) AS revenue_minor, sum(credit.share) AS conversions,
           sum(credit.share) FILTER (
               WHERE NOT EXISTS (SELECT 1 FROM attribution_conversion AS earlier
                                 WHERE earlier.organization_id = %(organization)s
                                   AND earlier.contact_id = conversion.contact_id
                                   AND earlier.goal_id = conversion.goal_id
                                   AND (earlier.happened_at, earlier.event_id)
                                       < (conversion.happened_at, conversion.event_id))) AS customers
    FROM attribution_conversion AS conversion
    JOIN attribution_credit AS credit ON credit.conversion_id = conversion.id AND credit.model = %(model)s
    JOIN attribution_touchpoint AS touchpoint ON touchpoint.id = credit.touchpoint_id
    WHERE {sums.COUNTED} AND touchpoint.campaign_id IS NOT NULL
      AND (%(only)s::bigint IS NULL OR touchpoint.campaign_id = %(only)s)
    GROUP BY 1
), spent AS (
    SELECT campaign_id, sum(amount_minor) AS cost_minor FROM attribution_cost
    WHERE organization_id = %(organization)s AND currency = %(currency)s AND campaign_id IS NOT NULL
      AND day BETWEEN %(first_day)s AND %(last_day)s
    GROUP BY 1
)
SELECT campaign.id, campaign.name, coalesce(ledger.sends, 0), coalesce(ledger.opened, 0), coalesce(ledger.clicked, 0),
       coalesce(earned.revenue_minor, 0), coalesce(earned.conversions, 0), coalesce(earned.customers, 0),
       coalesce(spent.cost_minor, 0) + CASE
           WHEN coalesce(ledger.first_sent_at, campaign.starts_at) >= %(start)s
            AND coalesce(ledger.first_sent_at, campaign.starts_at) < %(end)s THEN campaign.cost_minor ELSE 0 END
       + round(campaign.message_cost_minor * coalesce(ledger.parts, 0))::bigint
FROM campaigns_campaign AS campaign
LEFT JOIN ledger ON ledger.campaign_id = campaign.id
LEFT JOIN earned ON earned.campaign_id = campaign.id
LEFT JOIN spent ON spent.campaign_id = campaign.id
WHERE campaign.organization_id = %(organization)s
  AND (ledger.sends > 0 OR earned.campaign_id IS NOT NULL OR spent.campaign_id IS NOT NULL)
  AND (%(only)s::bigint IS NULL OR campaign.id = %(only)s)
ORDER BY 6 DESC, campaign.id DESC
"""


@dataclass(frozen=True)
class CampaignReturn:
    """One campaign in a period. Money in minor units; rates 0 … 1, None of nothing."""

    campaign_id: int
    name: str
    sends: int
    opened: int
    clicked: int
    revenue_minor: int
    conversions: float  # credited; a conversion that several efforts share counts in parts
    new_customers: float  # … of which were the contact's first
    cost_minor: int
    rows: dict[str, Rows] = field(default_factory=dict, compare=False)

    @property
    def open_rate(self) -> float | None:
        return returns.rate(self.opened, self.sends)

    @property
    def click_rate(self) -> float | None:
        return returns.rate(self.clicked, self.sends)

    @property
    def conversion_rate(self) -> float | None:
        """Credited conversions per message sent."""
        return returns.rate(self.conversions, self.sends)

    @property
    def roi_percent(self) -> float | None:
        """(revenue − cost) ÷ cost, in per cent."""
        return returns.percent(self.revenue_minor, self.cost_minor)

    @property
    def roas(self) -> float | None:
        """Revenue per unit of cost."""
        return returns.multiple(self.revenue_minor, self.cost_minor)

    @property
    def cac_minor(self) -> int | None:
        """Cost per new customer, in minor units; None without new customers or cost."""
        if not self.new_customers or not self.cost_minor:
            return None
        return round(self.cost_minor / self.new_customers)

    @property
    def tier(self) -> Tier:
        return returns.tier(self.revenue_minor, self.cost_minor)


@dataclass(frozen=True)
class CampaignReport:
    """Campaigns with what they earned in one model, best first; `total` sums them."""

    model: str
    currency: str
    campaigns: list[CampaignReturn]
    total: CampaignReturn
    totals: Totals


def campaign_roi(
    period: Period, model: str = DEFAULT_MODEL, *, goal_id: int | None = None, campaign_id: int | None = None
) -> CampaignReport:
    """Every campaign that sent, earned or cost something in the period, by credited revenue.

    Revenue is of the goals that count as revenue, or of one goal. Raises `Invalid` for an unknown model.
    """
    attribution_models.find(model, "model")
    values = sums.parameters(period, goal_id, model=model, only=campaign_id)
    found = [_campaign(row, period, model, goal_id) for row in sums.fetch(ROI_SQL, values)]
    return CampaignReport(model, values["currency"], found, _total(found), sums.totals(period, goal_id))


def _campaign(row: tuple[Any, ...], period: Period, model: str, goal_id: int | None) -> CampaignReturn:
    pk, name, sends, opened, clicked, revenue, conversions, customers, cost = row
    earned = drilldown.conversions(period, goal_id, campaign=pk, model=model)
    return CampaignReturn(
        campaign_id=pk,
        name=name,
        sends=sends,
        opened=opened,
        clicked=clicked,
        revenue_minor=int(revenue),
        conversions=round(float(conversions), 4),
        new_customers=round(float(customers), 4),
        cost_minor=int(cost),
        rows={
            "sends": drilldown.messages(period, pk),
            "revenue": earned,
            "conversions": earned,
            "touchpoints": drilldown.touchpoints(period, campaign=pk),
            "cost": drilldown.costs(period, pk),
        },
    )


def _total(found: Sequence[CampaignReturn]) -> CampaignReturn:
    return CampaignReturn(
        campaign_id=0,
        name="All campaigns",
        sends=sum(item.sends for item in found),
        opened=sum(item.opened for item in found),
        clicked=sum(item.clicked for item in found),
        revenue_minor=sum(item.revenue_minor for item in found),
        conversions=round(sum(item.conversions for item in found), 4),
        new_customers=round(sum(item.new_customers for item in found), 4),
        cost_minor=sum(item.cost_minor for item in found),
    )
