"""What an experiment measures: each metric is one number per person, or two for a ratio. Parsed only here."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from audience.domain import event_names
from common.errors import Invalid

MOST_METRICS = 20
LONGEST_WINDOW_DAYS = 365


class Kind(StrEnum):
    CONVERSION = "conversion"  # did they do it: 0 or 1
    COUNT = "count"  # how often
    SUM = "sum"  # the money of their events, or a number of them, added up
    MEAN = "mean"  # the same per event
    RATIO = "ratio"  # events (or a number of them) per events of another kind


class Role(StrEnum):
    PRIMARY = "primary"  # decides
    SECONDARY = "secondary"  # explains
    GUARDRAIL = "guardrail"  # must not get worse


class Direction(StrEnum):
    UP = "up"
    DOWN = "down"


RATIOS = frozenset({Kind.MEAN, Kind.RATIO})


class Metric(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`event` within `window_days` after the first exposure, only with the properties that `where` asks for.

    `measured` (in JSON: property) names a number of the event; empty, for a sum, is its money in minor units of the
    organisation's currency. A ratio divides by `per_event`. `cuped_days` compares with the same measure of so many
    days before the exposure. No person counts for more than `cap`. A guardrail is harmed beyond `tolerance`, a share.
    """

    key: str
    name: str
    kind: Kind
    event: str
    where: list[dict[str, Any]] = []
    measured: str = msgspec.field(default="", name="property")
    per_event: str = ""
    per_where: list[dict[str, Any]] = []
    window_days: int = 14
    role: Role = Role.SECONDARY
    direction: Direction = Direction.UP
    cuped_days: int = 0
    cap: float | None = None
    tolerance: float = 0.0

    @property
    def is_ratio(self) -> bool:
        return self.kind in RATIOS

    @property
    def is_money(self) -> bool:
        """Whether the value is in minor units of the organisation's currency."""
        return self.kind in (Kind.SUM, Kind.MEAN) and not self.measured

    @property
    def sign(self) -> int:
        """1 where more is better, -1 where less is."""
        return 1 if self.direction == Direction.UP else -1


def parse(document: object) -> list[Metric]:
    """Read an experiment's metrics, the primary ones first. Raises `Invalid` naming the place: `metrics[1].event`."""
    try:
        metrics = msgspec.convert(document or [], list[Metric])
    except msgspec.ValidationError as error:
        raise Invalid(f"The metrics cannot be read: {error}.", details={"metrics": f"{error}."}) from error
    wrong: dict[str, str] = {}
    if len(metrics) > MOST_METRICS:
        wrong["metrics"] = f"At most {MOST_METRICS}: who looks at everything finds something by chance."
    for place, metric in enumerate(metrics):
        wrong |= {f"metrics[{place}].{name}": sentence for name, sentence in _wrong(metric).items()}
        if metric.key in {other.key for other in metrics[:place]}:
            wrong[f"metrics[{place}].key"] = f"Two metrics are called “{metric.key}”."
    if wrong:
        raise Invalid(next(iter(wrong.values())), details=wrong)
    return sorted(metrics, key=lambda metric: list(Role).index(metric.role))


def dump(metrics: list[Metric]) -> list[dict[str, Any]]:
    """The JSON that `parse` reads."""
    plain: list[dict[str, Any]] = msgspec.to_builtins(metrics)
    return plain


def event_keys(metrics: list[Metric]) -> list[str]:
    """The events that move any of the metrics, spelled as `audience.domain.event_names.key` does."""
    return sorted({event_names.key(name) for metric in metrics for name in (metric.event, metric.per_event) if name})


def _wrong(metric: Metric) -> dict[str, str]:
    wrong: dict[str, str] = {}
    if not metric.key or len(metric.key) > 60:
        wrong["key"] = "A metric has a key of 1 to 60 characters."
    if not metric.name.strip() or len(metric.name) > 200:
        wrong["name"] = "A metric has a name of at most 200 characters."
    if not metric.event.strip():
        wrong["event"] = "Say which event counts."
    if metric.kind == Kind.RATIO and not metric.per_event.strip():
        wrong["per_event"] = "Say which event it is divided by."
    if metric.kind != Kind.RATIO and (metric.per_event or metric.per_where):
        wrong["per_event"] = "Only a ratio is divided by another event."
    if metric.measured and metric.kind in (Kind.CONVERSION, Kind.COUNT):
        wrong["property"] = "Doing something is counted, not a property of it; choose a sum or an average for that."
    if not 1 <= metric.window_days <= LONGEST_WINDOW_DAYS:
        wrong["window_days"] = f"From 1 to {LONGEST_WINDOW_DAYS} days after the first exposure."
    if not 0 <= metric.cuped_days <= LONGEST_WINDOW_DAYS:
        wrong["cuped_days"] = f"From 0 (no comparison) to {LONGEST_WINDOW_DAYS} days before the first exposure."
    if metric.cuped_days and metric.is_ratio:
        wrong["cuped_days"] = "A ratio is not compared with the time before; leave it at 0."
    if metric.cap is not None and not metric.cap > 0:
        wrong["cap"] = "A cap is more than nothing; leave it empty for none."
    if not 0 <= metric.tolerance < 1:
        wrong["tolerance"] = "A share from 0 to below 1: 0.02 lets it get two per cent worse."
    return wrong
