"""Conditions that speak neither of a field nor of an event: one module and one line each."""

from __future__ import annotations

from typing import Any

from common.registry import Registry
from segments.rules.conditions.base import Condition, Misplaced
from segments.rules.conditions.bucket import BUCKET
from segments.rules.conditions.consent import CONSENT
from segments.rules.conditions.near import NEAR
from segments.rules.conditions.prediction import PREDICTION
from segments.rules.conditions.segment import SEGMENT, by_id
from segments.rules.tree import BucketRule, ConsentRule, NearRule, OtherRule, PredictionRule, SegmentRule

__all__ = ["CONDITIONS", "Misplaced", "by_id", "condition_of"]

# The key that tells a condition → what it is.
CONDITIONS: Registry[Condition[Any]] = Registry(
    "condition",
    {"segment": SEGMENT, "consent": CONSENT, "bucket": BUCKET, "near": NEAR, "prediction": PREDICTION},
)
_BY_RULE: dict[type[OtherRule], Condition[Any]] = {
    SegmentRule: SEGMENT,
    ConsentRule: CONSENT,
    BucketRule: BUCKET,
    NearRule: NEAR,
    PredictionRule: PREDICTION,
}


def condition_of(rule: OtherRule) -> Condition[Any]:
    """The kind of a parsed condition."""
    return _BY_RULE[type(rule)]
