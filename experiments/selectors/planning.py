"""Before the start: what the metric is now, from the organisation's own people, and what it takes to move it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from math import isfinite
from typing import Any

from django.db import connection

from accounts.models import Organization
from common import clock, tenancy
from common.errors import Invalid
from experiments.domain import estimates, planner
from experiments.domain.metrics import Kind, Metric
from experiments.domain.moments import Moments
from experiments.selectors import words
from experiments.services import meters
from segments.rules.parameters import Parameters

SAMPLE = 5_000
LOOK_BACK_DAYS = 28
LONGEST_DAYS = 10_000
# An arbitrary but stable sample: ids in an order that has nothing to do with their age.
# Plan: a scan of contact_living (0.2 s at a million), then one range of events for each person of the sample.
BASE_SQL = """
SELECT count(*), sum(y), sum(y * y), sum(x), sum(x * x), sum(x * y)
  FROM (SELECT id AS contact_id, %(now)s::timestamptz - make_interval(days => %(window)s) AS exposed_at
          FROM audience_contact
         WHERE organization_id = %(organization)s AND merged_into_id IS NULL AND last_seen_at >= %(since)s
         ORDER BY (id * 2654435761) & 4294967295 LIMIT %(sample)s) AS person
 CROSS JOIN LATERAL {metric} AS number"""
RATE_SQL = """
SELECT count(*) FROM audience_contact
 WHERE organization_id = %(organization)s AND merged_into_id IS NULL AND last_seen_at >= %(since)s"""


@dataclass(frozen=True)
class Plan:
    """What an experiment takes. `base` and `deviation` are of the metric now, over `sampled` people seen lately.

    `smallest_effect` is the lift (a share of base) that four weeks would show, None where none would.
    """

    base: float
    deviation: float
    sampled: int
    people_a_day: float
    people_per_arm: int
    people: int
    days: int
    smallest_effect: float | None
    sentence: str


def plan(
    metric: Metric, lift: float, *, arms: int = 2, coverage: float = 1.0, people_a_day: float | None = None,
    power: float = planner.POWER,
) -> Plan:  # fmt: skip
    """People and days to find a lift (0.05 is five per cent more than now) in 8 of 10 cases.

    Without `people_a_day` as many come as were seen a day in the last four weeks. Raises `Invalid` where the
    organisation's events tell nothing of the metric yet.
    """
    base, moments = _base(metric)
    seen = _seen() / LOOK_BACK_DAYS if people_a_day is None else people_a_day
    a_day = seen * coverage
    try:
        people = planner.people_per_arm(base, base.mean * lift, arms=arms, power=power)
        days = planner.days(people, arms=arms, people_a_day=a_day)
        smallest = planner.smallest_effect(base, max(2, int(a_day * LOOK_BACK_DAYS / arms)), arms=arms, power=power)
    except ValueError as error:
        raise Invalid(str(error), details={"lift": str(error)}) from error
    effect = smallest / base.mean if isfinite(smallest) and base.mean else None
    spread = base.deviation if base.deviation is not None else (base.mean * (1 - base.mean)) ** 0.5
    return Plan(
        base.mean, spread, moments.n, a_day, people, people * arms, days, effect,
        _sentence(metric, base.mean, lift, people * arms, days, effect),
    )  # fmt: skip


def _sentence(metric: Metric, base: float, lift: float, people: int, days: int, effect: float | None) -> str:
    currency = Organization.objects.values_list("currency", flat=True).get(pk=tenancy.required())
    shown = f"{metric.name} is {words.amount(metric, base, currency)} now. "
    needed = f"To find {abs(lift):.1%} {'more' if lift > 0 else 'less'} takes {people:,} people"
    span = f", about {days:,} days. " if days <= LONGEST_DAYS else ", longer than anybody would wait. "
    found = f"Four weeks would show a lift of {effect:.1%} or more." if effect else "Four weeks would show no lift."
    return f"{shown}{needed}{span}{found}"


def _base(metric: Metric) -> tuple[planner.Metric, Moments]:
    """The metric over the last window of people seen in the last four weeks, or the window where that is longer."""
    currency = Organization.objects.values_list("currency", flat=True).get(pk=tenancy.required())
    now = clock.now()
    parameters = Parameters(
        organization=tenancy.required(), now=now, window=metric.window_days, sample=SAMPLE,
        since=now - timedelta(days=max(LOOK_BACK_DAYS, metric.window_days)),
    )  # fmt: skip
    source = meters.lateral(metric, meters.definitions([metric]), currency, parameters)
    n, *rest = _one(BASE_SQL.format(metric=source), parameters.values)
    moments = Moments(int(n), *(float(number or 0) for number in rest))
    try:
        return _known(metric, moments), moments
    except ValueError as error:
        sentence = (
            f"Your events tell nothing of “{metric.name}” yet; say what it is by hand, or wait for some of them."
        )
        raise Invalid(sentence, details={"metric": sentence}) from error


def _known(metric: Metric, moments: Moments) -> planner.Metric:
    """Raises ValueError where nobody did it, or too few people are known."""
    if metric.kind == Kind.CONVERSION:
        if not 0 < moments.y < moments.n:
            raise ValueError("Nobody, or everybody, did it.")
        return planner.Metric(moments.mean)
    one = estimates.ratio(moments) if metric.is_ratio else estimates.mean(moments)
    if not one.variance:
        raise ValueError("They are all alike.")
    reduction = estimates.variance_reduction([moments]) if metric.cuped_days else 0.0
    return planner.Metric(one.value, (one.variance * one.n) ** 0.5, min(reduction, 0.99))


def _seen() -> int:
    values = {"organization": tenancy.required(), "since": clock.now() - timedelta(days=LOOK_BACK_DAYS)}
    return int(_one(RATE_SQL, values)[0])


def _one(text: str, values: dict[str, Any]) -> tuple[Any, ...]:
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(text, values)
        row: tuple[Any, ...] = cursor.fetchone()
        return row
