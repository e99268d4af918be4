"""The attribution models side by side."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from attribution.domain import channels
from attribution.domain.channels import Channel
from attribution.domain.models import attribution_models
from attribution.selectors import drilldown, sums
from attribution.selectors.drilldown import Rows
from attribution.selectors.sums import Totals
from common.periods import Period

# Plan: a range of conversion_by_time and the credits of its conversions; one row per channel, campaign, model.
COMPARE_SQL = f"""
SELECT touchpoint.channel, touchpoint.campaign_id, coalesce(max(campaign.name), touchpoint.campaign_name),
       credit.model, sum(credit.amount_minor), sum(credit.share)
FROM attribution_conversion AS conversion
JOIN attribution_credit AS credit ON credit.conversion_id = conversion.id
JOIN attribution_touchpoint AS touchpoint ON touchpoint.id = credit.touchpoint_id
LEFT JOIN campaigns_campaign AS campaign ON campaign.id = touchpoint.campaign_id
WHERE {sums.COUNTED}
GROUP BY touchpoint.channel, touchpoint.campaign_id, touchpoint.campaign_name, credit.model
"""


@dataclass
class Line:
    """A channel and campaign with its revenue (minor units) and conversions by model."""

    channel: str
    channel_label: str
    campaign_id: int | None
    campaign_name: str
    revenue_minor: dict[str, int]
    conversions: dict[str, float]
    rows: dict[str, Rows] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class Comparison:
    """Revenue by channel and campaign in every model. By each model, lines and unattributed sum to the revenue."""

    models: list[str]
    currency: str
    lines: list[Line]
    channels: list[Line]
    totals: Totals
    unattributed: Rows


def revenue_by_model(period: Period, *, goal_id: int | None = None) -> Comparison:
    """Credited revenue per channel and campaign, every model beside the others; most credited (linear) first."""
    values = sums.parameters(period, goal_id)
    lines: dict[tuple[str, int | None, str], Line] = {}
    by_channel: dict[str, Line] = {}
    for channel, campaign_id, name, model, amount, share in sums.fetch(COMPARE_SQL, values):
        # A campaign may go by several tags; it is one line.
        key = (channel, campaign_id, "" if campaign_id is not None else name)
        line = lines.setdefault(key, _line(channel, campaign_id, name))
        whole = by_channel.setdefault(channel, _line(channel, None, ""))
        for place in (line, whole):
            place.revenue_minor[model] += int(amount)
            place.conversions[model] = round(place.conversions[model] + float(share), 4)
    for line in (*lines.values(), *by_channel.values()):
        line.rows = _rows(period, goal_id, line)
    return Comparison(
        models=list(attribution_models),
        currency=values["currency"],
        lines=_sorted(lines.values()),
        channels=_sorted(by_channel.values()),
        totals=sums.totals(period, goal_id),
        unattributed=drilldown.conversions(period, goal_id, unattributed="true"),
    )


def _line(channel: str, campaign_id: int | None, name: str) -> Line:
    label = channels.LABELS.get(Channel(channel), channel) if channel in set(Channel) else channel
    return Line(
        channel,
        label,
        campaign_id,
        name,
        dict.fromkeys(attribution_models, 0),
        dict.fromkeys(attribution_models, 0.0),
    )


def _rows(period: Period, goal_id: int | None, line: Line) -> dict[str, Rows]:
    """By model, the conversions that make the line."""
    campaign = (
        {"campaign": line.campaign_id} if line.campaign_id is not None else {"campaign_name": line.campaign_name}
    )
    return {
        model: drilldown.conversions(period, goal_id, channel=line.channel, model=model, **campaign)
        for model in attribution_models
    }


def _sorted(lines: Iterable[Line]) -> list[Line]:
    return sorted(lines, key=lambda line: (-line.revenue_minor["linear"], line.channel, line.campaign_name))
