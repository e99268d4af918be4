"""Who gets which arm: by hash, in sets, once and for all.

`arms_sql` is the draw as a subquery over any rows with a contact; `assign_selected` draws for everybody of a SELECT
and writes it down in the same statement; `assign` does so for a list. An arm once given stays, whatever is drawn
later: a bandit's shares move, people do not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from common import clock, doorbell, tenancy
from common.errors import Conflict
from experiments.domain import assignment
from experiments.models import Arm, Experiment, ExperimentStatus, Reserve, Unit
from experiments.services import counting

# What is hashed, for a contact's row. Apps know a contact by its user ID, mails and journeys by our number.
UNITS = {Unit.CONTACT: "{contact}.id::text", Unit.USER: "nullif({contact}.user_id, '')"}
# The reserve is the same people for both units.
RESERVED_UNIT = "coalesce(nullif({contact}.user_id, ''), {contact}.id::text)"

# OFFSET 0: the hash is worked out once a contact, and not once for each end of each arm.
DRAW_SQL = """(
    SELECT place.arm_id, place.share
      FROM (SELECT experiments_bucket(%(draw_seed)s::text, {unit}) / 10000.0::float8 AS number
             WHERE true{conditions} OFFSET 0) AS drawn
      JOIN unnest(%(draw_arms)s::bigint[], %(draw_starts)s::float8[], %(draw_ends)s::float8[],
                  %(draw_shares)s::float8[]) AS place(arm_id, start, "end", share)
        ON drawn.number >= place.start AND drawn.number < place."end")"""
IN_NAMESPACE = """
               AND experiments_namespace_bucket(%(draw_namespace)s::text, {unit}) / 1000.0::float8
                   >= %(draw_from)s::float8
               AND experiments_namespace_bucket(%(draw_namespace)s::text, {unit}) / 1000.0::float8
                   < %(draw_to)s::float8"""
NOT_RESERVED = """
               AND experiments_bucket(%(draw_salt)s::text, {reserved}) / 10000.0::float8
                   >= %(draw_reserve)s::float8"""

# Plan: the hash costs 5 µs a contact; one row and three index entries are written for each.
ASSIGN_SQL = f"""
WITH assigned AS (
    INSERT INTO experiments_assignment (organization_id, experiment_id, contact_id, arm_id, propensity, epoch,
                                        assigned_at, exposed_at, problem, reported)
    SELECT %(organization)s, %(experiment)s, contact.id, drawn.arm_id, drawn.share, %(epoch)s, %(now)s,
           CASE WHEN %(exposed)s THEN %(now)s::timestamptz END, '', ''
      FROM ({{select}}) AS chosen(contact_id)
      JOIN audience_contact AS contact ON contact.id = chosen.contact_id
     CROSS JOIN LATERAL {{draw}} AS drawn
     WHERE contact.organization_id = %(organization)s AND contact.merged_into_id IS NULL
        ON CONFLICT (experiment_id, contact_id) DO NOTHING
    RETURNING contact_id),
touched AS (
    INSERT INTO experiments_touched (organization_id, experiment_id, contact_id)
    SELECT %(organization)s, %(experiment)s, contact_id FROM assigned WHERE %(exposed)s ORDER BY contact_id
    {counting.AGAIN})
SELECT count(*) FROM assigned"""
EXPOSE_SQL = """
UPDATE experiments_assignment SET exposed_at = %(now)s
 WHERE organization_id = %(organization)s AND experiment_id = %(experiment)s AND contact_id = ANY(%(contacts)s)
   AND exposed_at IS NULL
RETURNING contact_id"""


@dataclass(frozen=True)
class Draw:
    """`sql` is a lateral subquery of (arm_id, share), empty for those who take no part; bind `parameters` with it."""

    sql: str
    parameters: dict[str, Any]


def arms_sql(experiment: Experiment, contact: str = "contact") -> Draw:
    """The draw of an experiment for the rows of audience_contact under the alias `contact`.

    `share` is the chance of that arm among those who take part. All parameters begin with `draw_`.
    """
    arms = list(experiment.arms.order_by("position"))
    shares = shares_of(arms)
    ranges = assignment.ranges(shares, experiment.coverage)
    unit, reserve = UNITS[Unit(experiment.unit)].format(contact=contact), reserved_share()
    parameters: dict[str, Any] = {
        "draw_seed": experiment.seed,
        "draw_arms": [arm.pk for arm in arms],
        "draw_starts": [start for start, _ in ranges],
        "draw_ends": [end for _, end in ranges],
        "draw_shares": shares,
    }
    conditions = ""
    if experiment.namespace:
        conditions += IN_NAMESPACE.format(unit=unit)
        parameters |= {
            "draw_namespace": experiment.namespace,
            "draw_from": experiment.namespace_start,
            "draw_to": experiment.namespace_end,
        }
    if reserve is not None:
        conditions += NOT_RESERVED.format(reserved=RESERVED_UNIT.format(contact=contact))
        parameters |= {"draw_salt": reserve.salt, "draw_reserve": reserve.share}
    return Draw(DRAW_SQL.format(unit=unit, conditions=conditions), parameters)


def shares_of(arms: Sequence[Arm]) -> list[float]:
    """The weights of arms as shares that add up to 1."""
    whole = sum(arm.weight for arm in arms)
    return [arm.weight / whole for arm in arms]


def reserved_share() -> Reserve | None:
    """The organisation's reserve, where it has one."""
    return Reserve.objects.filter(share__gt=0).first()


def assign_selected(
    experiment: Experiment, select: str, parameters: Mapping[str, Any], *, is_exposed: bool = False
) -> int:
    """Draw and write down the arms of everybody that `select` yields (one column: the contact); returns how many
    are new. `is_exposed`: getting the arm is meeting it, as in a campaign. Call it in the caller's transaction.

    Who has an arm keeps it. Raises `Conflict` unless the experiment runs.
    """
    if experiment.status != ExperimentStatus.RUNNING:
        raise Conflict(f"“{experiment}” is {experiment.status}; only a running experiment takes people in.")
    draw = arms_sql(experiment)
    values = draw.parameters | {
        "organization": tenancy.required(),
        "experiment": experiment.pk,
        "epoch": experiment.epoch,
        "now": clock.now(),
        "exposed": is_exposed,
    }
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(ASSIGN_SQL.format(select=select, draw=draw.sql), values | dict(parameters))
        count = int(cursor.fetchone()[0])
    if is_exposed and count:
        doorbell.ring(counting.WORK)
    return count


def assign(experiment_id: int, contact_ids: Sequence[int], *, is_exposed: bool = False) -> dict[int, int]:
    """Contact → arm id of all of these who take part: drawn now, or drawn before. Others are left out.

    With `is_exposed` those who had not met their arm meet it now. Of an experiment that does not run any more the
    winner goes to everybody, and without one nobody is new.
    """
    experiment = Experiment.objects.select_related("winner").get(pk=experiment_id)
    if experiment.winner_id is not None:
        return dict.fromkeys(contact_ids, experiment.winner_id)
    with transaction.atomic():
        if experiment.status == ExperimentStatus.RUNNING and contact_ids:
            select = "SELECT unnest(%(contacts)s::bigint[])"
            assign_selected(experiment, select, {"contacts": list(contact_ids)}, is_exposed=is_exposed)
            if is_exposed:
                _expose(experiment, contact_ids)
        held = experiment.assignments.filter(contact_id__in=contact_ids)
        return dict(held.values_list("contact_id", "arm_id"))


def _expose(experiment: Experiment, contact_ids: Sequence[int]) -> None:
    values: dict[str, Any] = {
        "organization": tenancy.required(),
        "experiment": experiment.pk,
        "contacts": list(contact_ids),
        "now": clock.now(),
    }
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(EXPOSE_SQL, values)
        met = [row[0] for row in cursor.fetchall()]
    counting.touch(experiment.pk, met)
