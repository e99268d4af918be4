"""What the messages of a source earned: credits of clicks in them, message by message."""

from __future__ import annotations

from dataclasses import dataclass

from attribution.domain.models import DEFAULT_MODEL, attribution_models
from attribution.selectors import sums
from attribution.selectors.sums import COUNTED
from common.periods import Period

# Plan: a range of conversion_by_time, credits by their conversion, touchpoint and message by primary key.
EARNED_SQL = f"""
SELECT message.source_id, message.idempotency_key, sum(credit.share), sum(credit.amount_minor)
  FROM attribution_conversion AS conversion
  JOIN attribution_credit AS credit ON credit.conversion_id = conversion.id AND credit.model = %(model)s
  JOIN attribution_touchpoint AS touchpoint ON touchpoint.id = credit.touchpoint_id
  JOIN delivery_message AS message ON message.id = touchpoint.message_id
 WHERE {COUNTED} AND message.source_type = %(source_type)s
 GROUP BY 1, 2
"""


@dataclass(frozen=True)
class Earned:
    """One message's credit in a period; `key` is its idempotency key, which its source made."""

    source_id: int
    key: str
    conversions: float
    revenue_minor: int


def earned_by_messages(source_type: str, period: Period, model: str = DEFAULT_MODEL) -> list[Earned]:
    """Every message of this kind of source that earned something. Raises `Invalid` for an unknown model."""
    attribution_models.find(model, "model")
    values = sums.parameters(period, model=model, source_type=source_type)
    return [
        Earned(source_id, key, float(conversions), int(revenue))
        for source_id, key, conversions, revenue in sums.fetch(EARNED_SQL, values)
    ]
