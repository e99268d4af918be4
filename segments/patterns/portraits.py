"""What is measured of people, and how a group of them differs from the rest, in words and figures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from segments.domain import statistics
from segments.domain.clustering import Cluster
from segments.domain.statistics import Moments
from segments.patterns.found import times


@dataclass(frozen=True)
class Feature:
    """What is measured of a person, and how it is told; `more` and `less` are its two ends."""

    name: str
    more: str
    less: str
    event: str = ""


RECENCY, ORDERS, SPEND, AGE = range(4)
BASIC = (
    Feature("days since the last purchase", "long since the last purchase", "bought lately"),
    Feature("purchases in a year", "buy often", "buy seldom"),
    Feature("spent in a year", "spend much", "spend little"),
    Feature("days since first seen", "known for long", "came lately"),
)


@dataclass(frozen=True)
class Sample:
    features: tuple[Feature, ...]
    ids: list[int]
    rows: list[list[float]]


def middles(cluster: Cluster, sample: Sample) -> list[dict[str, Any]]:
    """The middle value of each figure, in the group and among all."""
    return [
        {
            "name": feature.name,
            "group": round(_median([sample.rows[row][column] for row in cluster.members]), 2),
            "everybody": round(_median([row[column] for row in sample.rows]), 2),
        }
        for column, feature in enumerate(sample.features)
    ]


def titles(clusters: Sequence[Cluster], sample: Sample) -> list[str]:
    """A title for each; the second of two alike is told apart by its number."""
    titles: list[str] = []
    for cluster in clusters:
        title = _title(cluster, sample)
        alike = sum(known == title or known.startswith(f"{title} (") for known in titles)
        titles.append(f"{title} ({alike + 1})" if alike else title)
    return titles


def _title(cluster: Cluster, sample: Sample) -> str:
    """The two figures in which the group stands furthest from the rest, in words."""
    members = set(cluster.members)
    gaps = []
    for column, feature in enumerate(sample.features):
        logs = [math.log1p(abs(row[column])) for row in sample.rows]
        mean = math.fsum(logs) / len(logs)
        spread = math.sqrt(math.fsum((value - mean) ** 2 for value in logs) / len(logs))
        inside = math.fsum(logs[row] for row in members) / len(members)
        if spread:
            gap = (inside - mean) / spread
            gaps.append((-abs(gap), column, feature.more if gap > 0 else feature.less))
    words = [told for _, _, told in sorted(gaps)[:2]]
    return ", ".join(words)[:1].upper() + ", ".join(words)[1:] if words else "People alike"


def spending(cluster: Cluster, sample: Sample) -> dict[str, Any]:
    """How many times as much as the others the group spent in a year, with its interval."""
    members = set(cluster.members)
    inside = _moments([row[SPEND] for number, row in enumerate(sample.rows) if number in members])
    outside = _moments([row[SPEND] for number, row in enumerate(sample.rows) if number not in members])
    ratio = statistics.mean_ratio(inside, outside)
    if ratio is None:
        return {}
    return {"lift": round(ratio.value, 4), "low": round(ratio.low, 4), "high": round(ratio.high, 4)}


def spending_words(evidence: dict[str, Any]) -> str:
    if "lift" not in evidence:
        return ""
    return (
        f" They spend {times(evidence['lift'])} times as much as the others (95 % sure of "
        f"{times(evidence['low'])} to {times(evidence['high'])})."
    )


def _moments(values: Sequence[float]) -> Moments:
    return Moments(len(values), math.fsum(values), math.fsum(value * value for value in values))


def _median(values: list[float]) -> float:
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
