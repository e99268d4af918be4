"""What the messages of a simulation would cost, by the organisation's price per message of each channel."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from accounts.models import Organization
from automations.simulation.messages import MessageTally, Template
from automations.simulation.policy import WENT
from campaigns.domain import budget
from campaigns.models import EmailTemplate
from common import money
from delivery import services as delivery
from delivery.models import MessagePrice


def told(post: MessageTally, templates: Mapping[str, Template]) -> dict[str, Any]:
    """`{"currency", "total_minor", "by_channel": {…: {"count", "price", "cost_minor"}}, "steps": {id: minor}}`.

    `count` are messages, of SMS the segments of their texts. Channels without a price stand in `without_price`, and
    `total_minor` is null where none has one.
    """
    currency = Organization.objects.get().currency
    prices = {str(channel): price for channel, price in MessagePrice.objects.values_list("channel", "price_minor")}
    parts, channels, steps = _parts(templates), Counter[str](), {}
    for step_id, template in templates.items():
        went = post.by_step[step_id][WENT] if step_id in post.by_step else 0
        channels[template.channel] += went * parts[template.id]
        if template.channel in prices:
            steps[step_id] = budget.spent(0, prices[template.channel], went * parts[template.id])
    priced = {channel: count for channel, count in sorted(channels.items()) if channel in prices}
    exact = sum((prices[channel] * count for channel, count in priced.items()), Decimal())
    return {
        "currency": currency,
        "total_minor": budget.spent(0, exact, 1) if priced else None,
        "by_channel": {channel: _one(prices[channel], count, currency) for channel, count in priced.items()},
        "without_price": sorted(channels.keys() - prices.keys()),
        "steps": steps,
    }


def _one(price: Decimal, count: int, currency: str) -> dict[str, Any]:
    return {"count": count, "price": money.show_part(price, currency), "cost_minor": budget.spent(0, price, count)}


def _parts(templates: Mapping[str, Template]) -> dict[int, int]:
    """Template → how many times a message of its words, published or not yet, pays the price of its channel."""
    rows = EmailTemplate.objects.select_related("published__content").in_bulk(
        {each.id for each in templates.values()}
    )
    return {
        template_id: delivery.expected_parts(
            row.channel,
            row.published.content.fields if row.published else row.fields,
            row.published.content.defaults if row.published else row.defaults,
        )
        for template_id, row in rows.items()
    }
