"""Apps tell who met which arm. Ours is the draw that counts: what an app told is kept beside it, and looked at.

An app may report the same meeting a hundred times, late, in any order: the earliest counts. Where the app showed
another arm than was drawn, the person stays with the arm that was drawn (intention to treat) and the disagreement is
a problem on the page. Without a user ID there is no draw to compare with, and the app's word has to do.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from django.db import connection, transaction

from audience.domain import event_names
from audience.notices import RecordedEvent
from common import doorbell, tenancy
from experiments.domain import reports
from experiments.models import Experiment, ExperimentStatus, Unit
from experiments.services import assigning, counting

EVENTS_SQL = """
SELECT event.contact_id, event.happened_at, wanted.key, event.properties
  FROM unnest(%(ids)s::bigint[], %(moments)s::timestamptz[], %(keys)s::text[]) AS wanted(id, happened_at, key)
  JOIN audience_event AS event ON event.id = wanted.id AND event.happened_at = wanted.happened_at
 WHERE event.organization_id = %(organization)s"""

# Plan: per person one probe of the contact, one hash, one of one_arm_per_contact.
EXPOSE_SQL = f"""
WITH noted AS (
    INSERT INTO experiments_assignment AS kept (organization_id, experiment_id, contact_id, arm_id, propensity, epoch,
                                                assigned_at, exposed_at, problem, reported)
    SELECT %(organization)s, %(experiment)s, contact.id, coalesce(drawn.arm_id, told.id),
           coalesce(drawn.share, told.share), %(epoch)s, met.moment, met.moment,
           CASE WHEN {{unit}} IS NULL THEN 'unverified' WHEN drawn.arm_id IS NULL THEN 'outside'
                WHEN drawn.arm_id IS DISTINCT FROM told.id THEN 'disagrees' ELSE '' END, met.arm
      FROM unnest(%(contacts)s::bigint[], %(moments)s::timestamptz[], %(told)s::text[])
           AS met(contact_id, moment, arm)
      JOIN audience_contact AS contact ON contact.id = met.contact_id
      LEFT JOIN unnest(%(draw_arms)s::bigint[], %(arm_keys)s::text[], %(draw_shares)s::float8[])
                AS told(id, key, share) ON told.key = met.arm
      LEFT JOIN LATERAL {{draw}} AS drawn ON true
     WHERE contact.organization_id = %(organization)s AND coalesce(drawn.arm_id, told.id) IS NOT NULL
     ORDER BY contact.id
        ON CONFLICT (experiment_id, contact_id) DO UPDATE
       SET exposed_at = least(kept.exposed_at, excluded.exposed_at),
           reported = CASE WHEN kept.problem = '' THEN excluded.reported ELSE kept.reported END,
           problem = CASE WHEN kept.problem <> '' OR {{is_own}} THEN kept.problem ELSE 'disagrees' END
     WHERE kept.exposed_at IS NULL OR excluded.exposed_at < kept.exposed_at
        OR (kept.problem = '' AND NOT {{is_own}})
    RETURNING contact_id)
INSERT INTO experiments_touched (organization_id, experiment_id, contact_id)
SELECT %(organization)s, %(experiment)s, contact_id FROM noted ORDER BY contact_id
{counting.AGAIN}"""
IS_OWN = "excluded.reported = (SELECT key FROM experiments_arm WHERE id = kept.arm_id)"


@dataclass(frozen=True)
class Meeting:
    """Somebody met an arm, as an app told it."""

    contact_id: int
    experiment: str
    arm: str
    moment: datetime


def hear(events: Sequence[RecordedEvent]) -> None:
    """Note the exposures among these events."""
    told = [(event, event_names.key(event.name)) for event in events]
    wanted = [(event, key) for event, key in told if key in reports.SPELLINGS]
    if not wanted:
        return
    values: dict[str, Any] = {
        "organization": tenancy.required(),
        "ids": [event.event_id for event, _ in wanted],
        "moments": [event.happened_at for event, _ in wanted],
        "keys": [key for _, key in wanted],
    }
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(EVENTS_SQL, values)
        rows = cursor.fetchall()
    expose(_meetings(rows))


def expose(meetings: Iterable[Meeting]) -> int:
    """Note who met which arm; returns how many people are to be counted for it. Repeating it changes nothing.

    What is told of experiments that are unknown, or did not run at that moment, is passed over.
    """
    by_key: dict[str, list[Meeting]] = {}
    for meeting in meetings:
        by_key.setdefault(meeting.experiment, []).append(meeting)
    begun = Experiment.objects.filter(key__in=by_key, started_at__isnull=False).exclude(
        status=ExperimentStatus.ARCHIVED
    )
    count = 0
    with transaction.atomic():
        for experiment in begun.order_by("pk"):
            during = [one for one in by_key[experiment.key] if _ran_at(experiment, one.moment)]
            count += _expose(experiment, during)
    if count:
        doorbell.ring(counting.WORK)
    return count


def _meetings(rows: Iterable[tuple[Any, ...]]) -> Iterable[Meeting]:
    for contact_id, moment, key, properties in rows:
        if found := reports.read(key, msgspec.json.decode(properties)):
            yield Meeting(contact_id, found[0], found[1], moment)


def _ran_at(experiment: Experiment, moment: datetime) -> bool:
    assert experiment.started_at is not None
    return experiment.started_at <= moment < (experiment.stopped_at or moment.max.replace(tzinfo=moment.tzinfo))


def _expose(experiment: Experiment, meetings: Sequence[Meeting]) -> int:
    """Who is told of with several arms comes once for each, the earliest first."""
    keys = list(experiment.arms.order_by("position").values_list("key", flat=True))
    earliest: dict[tuple[int, str], datetime] = {}
    for one in meetings:
        place = (one.contact_id, reports.arm_of(one.arm, keys))
        earliest[place] = min(one.moment, earliest.get(place, one.moment))
    rounds: list[dict[int, tuple[datetime, str]]] = []
    for (contact_id, arm), moment in sorted(earliest.items(), key=lambda item: item[1]):
        free = next((each for each in rounds if contact_id not in each), None)
        if free is None:
            rounds.append(free := {})
        free[contact_id] = (moment, arm)
    return sum(_write(experiment, keys, each) for each in rounds)


def _write(experiment: Experiment, keys: Sequence[str], told: dict[int, tuple[datetime, str]]) -> int:
    draw = assigning.arms_sql(experiment)
    unit = assigning.UNITS[Unit(experiment.unit)].format(contact="contact")
    values = draw.parameters | {
        "organization": tenancy.required(),
        "experiment": experiment.pk,
        "epoch": experiment.epoch,
        "contacts": list(told),
        "moments": [moment for moment, _ in told.values()],
        "told": [arm for _, arm in told.values()],
        "arm_keys": list(keys),
    }
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(EXPOSE_SQL.format(unit=unit, draw=draw.sql, is_own=IS_OWN), values)
        return int(cursor.rowcount)
