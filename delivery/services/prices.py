"""What messages cost: prices by channel, and how many times a message pays its price."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from accounts.models import Organization
from audience.models import AttributeDefinition, MessageChannel
from common import tenancy
from delivery.domain import sms
from delivery.models import MessagePrice
from delivery.services import rendering, short_links, words

TYPICAL = "sample"  # stands for a contact's own words


def price_of(channel: str) -> Decimal:
    """What a message of the channel costs, in minor units; of SMS a segment. Nothing where no price is known."""
    price = MessagePrice.objects.filter(channel=channel).values_list("price_minor", flat=True).first()
    return price if price is not None else Decimal(0)


def expected_parts(channel: str, fields: Mapping[str, Any], defaults: Mapping[str, Any]) -> int:
    """How many times a typical message of these words pays the channel's price: an SMS for each segment, others once.

    Names and the like count as six letters, so the message itself may take a segment more or less.
    """
    if channel != MessageChannel.SMS:
        return 1
    try:
        text = words.compile_message(channel, fields, defaults).render(_typical(defaults))["text"]
    except Exception:  # noqa: BLE001 — a template may fail in any way on made-up values
        text = str(fields.get("text", ""))
    return max(1, sms.size(short_links.sample(text)).segments)


def _typical(defaults: Mapping[str, Any]) -> dict[str, Any]:
    person: dict[str, Any] = dict.fromkeys(rendering.FIELDS, TYPICAL)
    person |= {"id": 1, "tags": [TYPICAL], "value_minor": 100, "currency": "USD"}
    attributes = dict.fromkeys(AttributeDefinition.objects.values_list("name", flat=True), TYPICAL)
    name = Organization.objects.get(pk=tenancy.required()).name
    return words.values_of(person, attributes, {}, defaults, name) | {"unsubscribe_url": "https://x.example/u"}
