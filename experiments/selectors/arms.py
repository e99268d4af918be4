"""What an app should show somebody: our decision, and the same one for SDKs to take by themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from common import tenancy
from experiments.domain import assignment
from experiments.models import Allocation, Arm, Experiment, ExperimentStatus, Reserve, Unit
from experiments.services import assigning

DECIDE_SQL = """
SELECT drawn.arm_id FROM audience_contact AS contact CROSS JOIN LATERAL {draw} AS drawn
 WHERE contact.organization_id = %(organization)s AND contact.id = %(contact)s AND contact.merged_into_id IS NULL"""


@dataclass(frozen=True)
class Decision:
    """The arm to show. `is_in`: it was drawn for this person; else it is the winner, or the control."""

    arm: Arm
    is_in: bool


def decide(experiment: Experiment, contact_id: int | None, user_id: str = "") -> Decision:
    """What to show this contact. Somebody we do not know yet (None) is drawn by the user ID alone. Writes nothing."""
    arms = list(experiment.arms.order_by("position"))
    by_id = {arm.pk: arm for arm in arms}
    control = next((arm for arm in arms if arm.is_control), arms[0])
    if experiment.winner_id is not None:
        return Decision(by_id[experiment.winner_id], False)
    if experiment.status != ExperimentStatus.RUNNING:
        return Decision(control, False)
    if contact_id is None:
        place = _place(experiment, arms, user_id)
        return Decision(control if place is None else arms[place], place is not None)
    held = experiment.assignments.filter(contact_id=contact_id).values_list("arm_id", flat=True).first()
    if held is None:
        held = _drawn(experiment, contact_id)
    return Decision(control if held is None else by_id[held], held is not None)


def _drawn(experiment: Experiment, contact_id: int) -> int | None:
    draw = assigning.arms_sql(experiment)
    values = draw.parameters | {"organization": tenancy.required(), "contact": contact_id}
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(DECIDE_SQL.format(draw=draw.sql), values)
        row = cursor.fetchone()
    return row[0] if row else None


def _place(experiment: Experiment, arms: Sequence[Arm], user_id: str) -> int | None:
    """The draw for a user ID that no contact has yet, as it will be when one has it."""
    if experiment.unit != Unit.USER or not user_id:
        return None
    if experiment.namespace:
        space = assignment.Namespace(experiment.namespace, experiment.namespace_start, experiment.namespace_end)
        if not assignment.is_in(space, user_id):
            return None
    reserve = assigning.reserved_share()
    if reserve is not None and assignment.bucket(reserve.salt, user_id) < reserve.share:
        return None
    ranges = assignment.ranges(assigning.shares_of(arms), experiment.coverage)
    return assignment.arm_of(assignment.bucket(experiment.seed, user_id), ranges)


def features() -> dict[str, Any]:
    """Every experiment by user ID in the form of GrowthBook's SDK payload: feature key → default value and rules.

    A running one is a rule that the SDK carries out exactly as we do; one with a winner is the winner for everybody.
    Bandits are left out: their shares move, so only `assign` keeps people where they are.
    """
    shown = Experiment.objects.filter(
        unit=Unit.USER, status__in=(ExperimentStatus.RUNNING, ExperimentStatus.STOPPED)
    ).exclude(allocation=Allocation.BANDIT)
    reserve = assigning.reserved_share()
    return {
        experiment.key: _feature(experiment, reserve) for experiment in shown.prefetch_related("arms").order_by("key")
    }


def _feature(experiment: Experiment, reserve: Reserve | None) -> dict[str, Any]:
    arms = sorted(experiment.arms.all(), key=lambda arm: arm.position)
    control = next((arm for arm in arms if arm.is_control), arms[0])
    winner = next((arm for arm in arms if arm.pk == experiment.winner_id), control)
    if experiment.status != ExperimentStatus.RUNNING:
        return {"defaultValue": winner.key, "rules": []}
    rule: dict[str, Any] = {
        "key": experiment.key,
        "seed": experiment.seed,
        "hashAttribute": "id",
        "hashVersion": 2,
        "variations": [arm.key for arm in arms],
        "meta": [{"key": arm.key, "name": arm.name} for arm in arms],
        "weights": assigning.shares_of(arms),
        "coverage": experiment.coverage,
    }
    if filters := _filters(experiment, reserve):
        rule["filters"] = filters
    return {"defaultValue": control.key, "rules": [rule]}


def _filters(experiment: Experiment, reserve: Reserve | None) -> list[dict[str, Any]]:
    """The namespace and the reserve. With the seed `__name` the first version of the hash is that of namespaces."""
    filters: list[dict[str, Any]] = []
    if experiment.namespace:
        share = [experiment.namespace_start, experiment.namespace_end]
        filters.append({"attribute": "id", "seed": f"__{experiment.namespace}", "hashVersion": 1, "ranges": [share]})
    if reserve is not None:
        filters.append({"attribute": "id", "seed": reserve.salt, "hashVersion": 2, "ranges": [[reserve.share, 1]]})
    return filters
