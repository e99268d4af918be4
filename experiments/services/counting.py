"""From what people did to the sums of their arms.

Whoever may have another outcome than yesterday is written down (`touch`); the work counts just these people anew from
their own events, compares with what of them stands in the sums, and adds the difference. Late, repeated and
unordered events so end in the same sums as a count of everybody, and a read-out never sees an event.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction

from accounts.models import Organization
from common import doorbell, tenancy
from experiments.domain import metrics as metric_rules
from experiments.models import Experiment, ExperimentStatus, Problem
from experiments.services import meters
from segments.rules.parameters import Parameters

WORK = "outcomes"
BLOCK = 2_000
NOT_COUNTED = [Problem.OUTSIDE.value, Problem.BOTH.value]

# DO UPDATE, not DO NOTHING: who changes an assignment and touches a row that stands already must keep the worker
# from it until the change is committed, or it would count what was before.
AGAIN = "ON CONFLICT (experiment_id, contact_id) DO UPDATE SET contact_id = excluded.contact_id"
TOUCH_SQL = f"""
INSERT INTO experiments_touched (organization_id, experiment_id, contact_id)
SELECT %(organization)s, %(experiment)s, wanted.id FROM unnest(%(contacts)s::bigint[]) AS wanted(id) ORDER BY 3
{AGAIN}"""
TOUCH_ALL_SQL = f"""
INSERT INTO experiments_touched (organization_id, experiment_id, contact_id)
SELECT organization_id, experiment_id, contact_id FROM experiments_assignment
 WHERE organization_id = %(organization)s AND experiment_id = %(experiment)s AND exposed_at IS NOT NULL
 ORDER BY contact_id
{AGAIN}"""
CLAIM_SQL = """
DELETE FROM experiments_touched WHERE id IN (
    SELECT id FROM experiments_touched
     WHERE organization_id = %(organization)s AND experiment_id = %(experiment)s
     ORDER BY contact_id LIMIT %(size)s FOR UPDATE SKIP LOCKED)
RETURNING contact_id"""

# Plan: per person one probe of one_arm_per_contact and one range of event_by_contact for each metric.
COUNT_SQL = """
WITH person AS MATERIALIZED (
    SELECT assignment.contact_id, assignment.arm_id, assignment.epoch, assignment.exposed_at,
           (assignment.exposed_at AT TIME ZONE %(zone)s)::date AS day
      FROM unnest(%(contacts)s::bigint[]) AS wanted(id)
      JOIN LATERAL (SELECT * FROM experiments_assignment
                     WHERE experiment_id = %(experiment)s AND contact_id = wanted.id OFFSET 0) AS assignment ON true
     WHERE assignment.organization_id = %(organization)s AND assignment.exposed_at IS NOT NULL
       AND assignment.problem <> ALL(%(not_counted)s)),
fresh AS MATERIALIZED (
    SELECT person.contact_id, person.arm_id, person.epoch, person.day,
           jsonb_build_object('', '[1, 0]'::jsonb{pairs}) AS figures
      FROM person{laterals}),
stale AS MATERIALIZED (
    SELECT contact_id, arm_id, epoch, day, figures FROM experiments_outcome
     WHERE organization_id = %(organization)s AND experiment_id = %(experiment)s AND contact_id = ANY(%(contacts)s)),
delta AS (
    SELECT moved.arm_id, held.metric, moved.epoch, moved.day,
           sum(sign) AS n, sum(sign * y) AS y, sum(sign * y * y) AS yy,
           sum(sign * x) AS x, sum(sign * x * x) AS xx, sum(sign * x * y) AS xy
      FROM (SELECT 1 AS sign, * FROM fresh UNION ALL SELECT -1, * FROM stale) AS moved
     CROSS JOIN LATERAL jsonb_each(moved.figures) AS held(metric, pair)
     CROSS JOIN LATERAL (SELECT (pair ->> 0)::numeric AS y, (pair ->> 1)::numeric AS x) AS number
     GROUP BY moved.arm_id, held.metric, moved.epoch, moved.day),
summed AS (
    INSERT INTO experiments_metricdaily AS kept (organization_id, experiment_id, arm_id, metric, epoch, day,
                                                 n, y, yy, x, xx, xy)
    SELECT %(organization)s, %(experiment)s, arm_id, metric, epoch, day, n, y, yy, x, xx, xy FROM delta
     WHERE (n, y, yy, x, xx, xy) <> (0, 0, 0, 0, 0, 0)
     ORDER BY metric, arm_id, epoch, day
        ON CONFLICT (experiment_id, metric, arm_id, epoch, day) DO UPDATE
       SET n = kept.n + excluded.n, y = kept.y + excluded.y, yy = kept.yy + excluded.yy, x = kept.x + excluded.x,
           xx = kept.xx + excluded.xx, xy = kept.xy + excluded.xy),
gone AS (
    DELETE FROM experiments_outcome AS outcome
     WHERE outcome.organization_id = %(organization)s AND outcome.experiment_id = %(experiment)s
       AND outcome.contact_id = ANY(%(contacts)s)
       AND NOT EXISTS (SELECT 1 FROM fresh WHERE fresh.contact_id = outcome.contact_id))
INSERT INTO experiments_outcome AS kept (organization_id, experiment_id, contact_id, arm_id, epoch, day, figures)
SELECT %(organization)s, %(experiment)s, contact_id, arm_id, epoch, day, figures FROM fresh
    ON CONFLICT (experiment_id, contact_id) DO UPDATE
   SET arm_id = excluded.arm_id, epoch = excluded.epoch, day = excluded.day, figures = excluded.figures
 WHERE (kept.arm_id, kept.epoch, kept.day, kept.figures)
       IS DISTINCT FROM (excluded.arm_id, excluded.epoch, excluded.day, excluded.figures)"""


def touch(experiment_id: int, contact_ids: Sequence[int]) -> None:
    """These people are to be counted again, once the transaction has committed."""
    if not contact_ids:
        return
    values: dict[str, Any] = {
        "organization": tenancy.required(),
        "experiment": experiment_id,
        "contacts": list(contact_ids),
    }
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(TOUCH_SQL, values)
    doorbell.ring(WORK)


def count_anew(experiment: Experiment) -> None:
    """Forget the sums and count everybody: its metrics are others now."""
    values = {"organization": tenancy.required(), "experiment": experiment.pk}
    with transaction.atomic(), tenancy.engine(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('outcomes', %s))", [experiment.pk])
        for table in ("experiments_metricdaily", "experiments_outcome"):
            cursor.execute(
                f"DELETE FROM {table} WHERE organization_id = %(organization)s AND experiment_id = %(experiment)s",
                values,
            )
        cursor.execute(TOUCH_ALL_SQL, values)
    doorbell.ring(WORK)


def work(organization_id: int) -> int:
    """Count everybody who waits in one organisation, for one turn; returns how many were counted."""
    counted = 0
    with tenancy.organization(organization_id):
        for experiment in Experiment.objects.filter(pk__in=_waiting(organization_id)):
            while done := _count_block(experiment):
                counted += done
                if doorbell.turn_is_over():
                    return counted
    return counted


def organizations_due() -> list[int]:
    """Organisations with somebody to count. The table holds only those who wait."""
    return doorbell.organizations_with("experiments_touched", "true")


def _waiting(organization_id: int) -> list[int]:
    # One probe of touched_once per experiment, however many people wait.
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM experiments_experiment AS experiment WHERE organization_id = %s"
            " AND EXISTS (SELECT 1 FROM experiments_touched WHERE experiment_id = experiment.id) ORDER BY id",
            [organization_id],
        )
        return [row[0] for row in cursor.fetchall()]


def _count_block(experiment: Experiment) -> int:
    """Count some of the people of one experiment, unless another worker does; returns how many."""
    with transaction.atomic():
        if not _lock(experiment.pk):
            return 0
        # Its metrics may have changed since it was read; the lock keeps them now.
        experiment.refresh_from_db(fields=["metrics", "status"])
        text, parameters = statement(experiment)
        with tenancy.engine(), connection.cursor() as cursor:
            cursor.execute(CLAIM_SQL, parameters.values | {"size": BLOCK})
            contact_ids = [row[0] for row in cursor.fetchall()]
            if contact_ids and experiment.status != ExperimentStatus.ARCHIVED:
                cursor.execute(text, parameters.values | {"contacts": contact_ids})
    return len(contact_ids)


def _lock(experiment_id: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended('outcomes', %s))", [experiment_id])
        return bool(cursor.fetchone()[0])


def statement(experiment: Experiment) -> tuple[str, Parameters]:
    """The statement that counts `contacts`, and its values but for these."""
    organization = Organization.objects.only("timezone", "currency").get(pk=experiment.organization_id)
    parameters = Parameters(
        organization=experiment.organization_id,
        experiment=experiment.pk,
        zone=organization.timezone,
        not_counted=NOT_COUNTED,
    )
    metrics = metric_rules.parse(experiment.metrics)
    kinds = meters.definitions(metrics)
    pairs = laterals = ""
    for place, metric in enumerate(metrics):
        source = meters.lateral(metric, kinds, organization.currency, parameters)
        laterals += f"\n     CROSS JOIN LATERAL {source} AS m{place}"
        pairs += f", {parameters.bind(metric.key, 'text')}, jsonb_build_array(m{place}.y, m{place}.x)"
    return COUNT_SQL.format(pairs=pairs, laterals=laterals), parameters
