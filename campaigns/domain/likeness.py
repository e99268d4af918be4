"""How much a past campaign tells about another one: 1 for its twin, less for each way in which they differ."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

OTHER_TEMPLATE = 0.8
OTHER_TOPIC = 0.7
OTHER_PEOPLE = 0.5  # no segment in common
OTHER_OFFER = 0.6  # one offers something, the other does not
HALF_LIFE_DAYS = 180.0


@dataclass(frozen=True)
class Traits:
    """What makes campaigns of one channel and kind alike."""

    template_id: int | None
    topic_id: int | None
    segment_ids: Collection[int]
    has_offers: bool


def likeness(one: Traits, other: Traits, age_days: float) -> float:
    """0–1; halves with every half year between them."""
    weight: float = 0.5 ** (max(0.0, age_days) / HALF_LIFE_DAYS)
    weight *= 1.0 if one.template_id == other.template_id else OTHER_TEMPLATE
    weight *= 1.0 if one.topic_id == other.topic_id else OTHER_TOPIC
    weight *= 1.0 if one.has_offers == other.has_offers else OTHER_OFFER
    return weight * (OTHER_PEOPLE + (1 - OTHER_PEOPLE) * _shared(set(one.segment_ids), set(other.segment_ids)))


def _shared(one: set[int], other: set[int]) -> float:
    """Jaccard's index; two campaigns without segments share everything."""
    return len(one & other) / len(one | other) if one | other else 1.0
