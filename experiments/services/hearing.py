"""Events that may change an outcome: whoever has an arm and did something that a metric counts is counted again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet

from audience.domain import event_names
from audience.notices import RecordedEvent
from common import clock, doorbell, tenancy
from experiments.domain.metrics import LONGEST_WINDOW_DAYS
from experiments.models import Experiment, ExperimentStatus
from experiments.services import counting

# Plan: per event one probe of assignment_by_contact, and of a few experiments in memory.
TOUCH_SQL = f"""
INSERT INTO experiments_touched (organization_id, experiment_id, contact_id)
SELECT DISTINCT %(organization)s::bigint, assignment.experiment_id, assignment.contact_id
  FROM unnest(%(contacts)s::bigint[], %(keys)s::text[]) AS event(contact_id, key)
  JOIN unnest(%(experiments)s::bigint[], %(heard)s::text[]) AS wanted(experiment_id, key) ON wanted.key = event.key
  JOIN LATERAL (SELECT experiment_id, contact_id FROM experiments_assignment
                 WHERE organization_id = %(organization)s AND contact_id = event.contact_id
                   AND exposed_at IS NOT NULL OFFSET 0) AS assignment
    ON assignment.experiment_id = wanted.experiment_id
 ORDER BY 2, 3
{counting.AGAIN}"""


def counted() -> QuerySet[Experiment]:
    """Experiments whose outcomes may still change: running, or stopped no longer ago than the longest window."""
    recent = Q(status=ExperimentStatus.STOPPED, stopped_at__gt=clock.now() - timedelta(days=LONGEST_WINDOW_DAYS))
    return Experiment.objects.filter(Q(status=ExperimentStatus.RUNNING) | recent)


def heard() -> set[str]:
    """The keys of the events that any metric counts."""
    return {key for keys in counted().values_list("listens_to", flat=True) for key in keys}


def hear(events: Sequence[RecordedEvent]) -> None:
    """Write down whose outcome these events may change."""
    wanted = [(pk, key) for pk, keys in counted().values_list("pk", "listens_to") for key in keys]
    known = {key for _, key in wanted}
    pairs = {pair for pair in _keyed(events) if pair[1] in known}
    if not pairs:
        return
    values: dict[str, Any] = {
        "organization": tenancy.required(),
        "contacts": [contact_id for contact_id, _ in pairs],
        "keys": [key for _, key in pairs],
        "experiments": [pk for pk, _ in wanted],
        "heard": [key for _, key in wanted],
    }
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(TOUCH_SQL, values)
        if cursor.rowcount:
            doorbell.ring(counting.WORK)


def _keyed(events: Sequence[RecordedEvent]) -> Iterable[tuple[int, str]]:
    keys = {name: event_names.key(name) for name in {event.name for event in events}}
    return ((event.contact_id, keys[event.name]) for event in events)
