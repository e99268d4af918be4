"""The sums of an experiment as the science takes them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection

from common import tenancy
from experiments.domain.moments import Moments
from experiments.domain.strata import Stratum
from experiments.models import Arm, Experiment

# Plan: one range of one_sum_per_day. A row per metric, arm, epoch and day: some thousands, however many people.
SPANS_SQL = """
SELECT metric, epoch, arm_id, sum(n)::bigint, sum(y), sum(yy), sum(x), sum(xx), sum(xy)
  FROM experiments_metricdaily
 WHERE organization_id = %s AND experiment_id = %s
 GROUP BY metric, epoch, arm_id ORDER BY metric, epoch"""
DAYS_SQL = """
SELECT day, 0, arm_id, sum(n)::bigint, sum(y), sum(yy), sum(x), sum(xx), sum(xy)
  FROM experiments_metricdaily
 WHERE organization_id = %s AND experiment_id = %s AND metric = %s
 GROUP BY day, arm_id ORDER BY day"""


def spans(experiment: Experiment, arms: Sequence[Arm]) -> dict[str, dict[int, Stratum]]:
    """Metric → epoch → the moments of each arm, in the order of `arms`. The metric "" is the people."""
    found: dict[str, dict[int, list[Moments]]] = {}
    places = {arm.pk: place for place, arm in enumerate(arms)}
    for metric, epoch, arm_id, *numbers in _rows(SPANS_SQL, [experiment.organization_id, experiment.pk]):
        row = found.setdefault(metric, {}).setdefault(epoch, [Moments()] * len(arms))
        row[places[arm_id]] = _moments(numbers)
    return {metric: dict(epochs) for metric, epochs in found.items()}


def days(experiment: Experiment, arms: Sequence[Arm], metric: str) -> dict[date, Stratum]:
    """Day of first exposure → the moments of each arm."""
    found: dict[date, list[Moments]] = {}
    places = {arm.pk: place for place, arm in enumerate(arms)}
    for day, _, arm_id, *numbers in _rows(DAYS_SQL, [experiment.organization_id, experiment.pk, metric]):
        found.setdefault(day, [Moments()] * len(arms))[places[arm_id]] = _moments(numbers)
    return dict(found)


def _rows(text: str, values: list[Any]) -> list[tuple[Any, ...]]:
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(text, values)
        return list(cursor.fetchall())


def _moments(numbers: Sequence[int | Decimal]) -> Moments:
    n, *rest = numbers
    return Moments(int(n), *(_plain(Decimal(number)) for number in rest))


def _plain(number: Decimal) -> int | float:
    """Whole numbers stay whole, so that no digit of a large sum is lost."""
    whole = int(number)
    return whole if whole == number else float(number)
