"""People who turn out to be one, and people who are gone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connection

from audience.notices import ContactsMerged
from common import doorbell, tenancy
from experiments.models import Assignment
from experiments.services import counting

PAIRS = "unnest(%(losers)s::bigint[], %(winners)s::bigint[]) AS pair(loser, winner)"
# Both had an arm: the one that was met stays; who met two different ones tells nothing of either.
JOIN_SQL = f"""
UPDATE experiments_assignment AS kept
   SET exposed_at = least(kept.exposed_at, gone.exposed_at), assigned_at = least(kept.assigned_at, gone.assigned_at),
       arm_id = CASE WHEN kept.exposed_at IS NULL AND gone.exposed_at IS NOT NULL THEN gone.arm_id
                     ELSE kept.arm_id END,
       propensity = CASE WHEN kept.exposed_at IS NULL AND gone.exposed_at IS NOT NULL THEN gone.propensity
                         ELSE kept.propensity END,
       epoch = CASE WHEN kept.exposed_at IS NULL AND gone.exposed_at IS NOT NULL THEN gone.epoch ELSE kept.epoch END,
       reported = CASE WHEN kept.exposed_at IS NULL THEN gone.reported ELSE kept.reported END,
       problem = CASE WHEN kept.exposed_at IS NULL THEN gone.problem
                      WHEN gone.exposed_at IS NULL OR gone.arm_id = kept.arm_id THEN kept.problem
                      ELSE 'both' END
  FROM {PAIRS}
  JOIN experiments_assignment AS gone ON gone.contact_id = pair.loser
 WHERE gone.organization_id = %(organization)s AND kept.organization_id = %(organization)s
   AND kept.contact_id = pair.winner AND kept.experiment_id = gone.experiment_id"""
MOVE_SQL = f"""
UPDATE experiments_assignment AS moved SET contact_id = pair.winner
  FROM {PAIRS}
 WHERE moved.organization_id = %(organization)s AND moved.contact_id = pair.loser
   AND NOT EXISTS (SELECT 1 FROM experiments_assignment AS kept
                    WHERE kept.experiment_id = moved.experiment_id AND kept.contact_id = pair.winner)"""
# Whoever took over events may have another outcome, also where only they had an arm.
TOUCH_SQL = f"""
INSERT INTO experiments_touched (organization_id, experiment_id, contact_id)
SELECT organization_id, experiment_id, contact_id FROM experiments_assignment
 WHERE organization_id = %(organization)s AND contact_id = ANY(%(touched)s)
 UNION
SELECT organization_id, experiment_id, unnest(%(losers)s::bigint[]) FROM experiments_assignment
 WHERE organization_id = %(organization)s AND contact_id = ANY(%(winners)s)
 ORDER BY 2, 3
{counting.AGAIN}"""
DELETE_SQL = f"""
WITH gone AS (
    DELETE FROM experiments_assignment
     WHERE organization_id = %(organization)s AND contact_id = ANY(%(contacts)s)
    RETURNING experiment_id, contact_id)
INSERT INTO experiments_touched (organization_id, experiment_id, contact_id)
SELECT %(organization)s, experiment_id, contact_id FROM gone ORDER BY 2, 3
{counting.AGAIN}"""


def follow_merges(merges: Sequence[ContactsMerged]) -> None:
    """Give the survivors what the merged people had, and count them again. Repeating it changes nothing."""
    people = {one.merged_id for one in merges} | {one.survivor_id for one in merges}
    if not Assignment.objects.filter(contact_id__in=people).exists():
        return
    rounds: list[dict[int, int]] = []  # a survivor takes over from one person at a time
    for one in merges:
        free = next((each for each in rounds if one.survivor_id not in each), None)
        if free is None:
            rounds.append(free := {})
        free[one.survivor_id] = one.merged_id
    for each in rounds:
        _join(list(each.values()), list(each))
    doorbell.ring(counting.WORK)


def forget(contact_ids: Sequence[int]) -> None:
    """People who are gone leave the sums, too."""
    if not contact_ids:
        return
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(DELETE_SQL, {"organization": tenancy.required(), "contacts": list(contact_ids)})
        if cursor.rowcount:
            doorbell.ring(counting.WORK)


def _join(losers: list[int], winners: list[int]) -> None:
    values: dict[str, Any] = {
        "organization": tenancy.required(),
        "losers": losers,
        "winners": winners,
        "touched": [*losers, *winners],
    }
    with tenancy.engine(), connection.cursor() as cursor:
        for statement in (JOIN_SQL, MOVE_SQL, TOUCH_SQL):
            cursor.execute(statement, values)
        cursor.execute(
            "DELETE FROM experiments_assignment WHERE organization_id = %(organization)s"
            " AND contact_id = ANY(%(losers)s)",
            values,
        )
