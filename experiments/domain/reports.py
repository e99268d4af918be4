"""What apps say when somebody met an arm: our own event, GrowthBook's and Segment's, and PostHog's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

# Event (by audience.domain.event_names.key) → where it says which experiment, and which arm.
SPELLINGS: dict[str, tuple[Sequence[str], Sequence[str]]] = {
    "experiment_viewed": (
        ("experiment", "experimentId", "experiment_id", "experimentKey", "experiment_key", "experiment_name"),
        ("arm", "variationId", "variation_id", "variationKey", "variation_key", "variation", "variation_name"),
    ),
    "$feature_flag_called": (("$feature_flag",), ("$feature_flag_response",)),
}


def read(event_key: str, properties: Mapping[str, Any]) -> tuple[str, str] | None:
    """The experiment's key and the arm, as they were told; None where the event tells of none."""
    experiments, arms = SPELLINGS[event_key]
    experiment, arm = _first(properties, experiments), _first(properties, arms)
    return (experiment, arm) if experiment and arm else None


def arm_of(told: str, keys: Sequence[str]) -> str:
    """The key of the arm that is meant; SDKs tell its key, or its place from 0. What nobody knows stays as told."""
    if told not in keys and told.isascii() and told.isdigit() and len(told) < 4 and int(told) < len(keys):
        return keys[int(told)]
    return told[:60]


def _first(properties: Mapping[str, Any], names: Sequence[str]) -> str:
    for name in names:
        value = properties.get(name)
        if isinstance(value, str | int) and not isinstance(value, bool) and str(value).strip():
            return str(value).strip()[:200]
    return ""
