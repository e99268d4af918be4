"""How each kind of step is replayed. What is not named here does its work at once and lets everybody go on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import connection

from automations import local_times
from automations.domain.tree import Step
from automations.simulation import asking
from automations.simulation.walker import ON, OUT, Crowd, Judge, Moved
from automations.steps import random_split, wait_for_date
from common import tenancy
from common.later import later
from common.moments import micros, moments, span_micros
from experiments import services as experiments
from experiments.models import Experiment, ExperimentStatus

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
else:
    np = later("numpy")

# An arm that somebody has already goes before the draw. Plan: a probe of each table's key per contact.
ARMS_SQL = """
SELECT contact.id, coalesce(held.arm_id, drawn.arm_id)
  FROM audience_contact AS contact
  LEFT JOIN experiments_assignment AS held
    ON held.organization_id = %(organization)s AND held.experiment_id = %(experiment)s
   AND held.contact_id = contact.id
  LEFT JOIN LATERAL {draw} AS drawn ON %(takes_in)s
 WHERE contact.organization_id = %(organization)s AND contact.id = ANY(%(contacts)s)
"""


def _go(crowd: Crowd, way: NDArray[np.int16] | int) -> Moved:
    return Moved(np.broadcast_to(np.asarray(way, dtype=np.int16), crowd.at.shape).copy(), crowd.at.copy())


def goes_on(settings: Any, step: Step, crowd: Crowd) -> Moved:
    """Work that takes no time and takes nobody out."""
    return _go(crowd, ON)


def leaves(settings: Any, step: Step, crowd: Crowd) -> Moved:
    return _go(crowd, OUT)


def waits(settings: Any, step: Step, crowd: Crowd) -> Moved:
    moved = _go(crowd, ON)
    return Moved(moved.way, crowd.at + span_micros(settings.span))


def branches(settings: Any, step: Step, crowd: Crowd) -> Moved:
    """The first branch for those who met the rule at their moment, the other one for the rest."""
    then, otherwise = _places(step, "then"), _places(step, "otherwise")
    truth = asking.truths(crowd.past, settings.rule, crowd.contact, crowd.at)
    return _go(crowd, np.where(truth, then, otherwise).astype(np.int16))


def waits_until(settings: Any, step: Step, crowd: Crowd) -> Moved:
    """Against what really came: the first moment at which the rule was met, else the time-out."""
    ends = crowd.at + span_micros(settings.timeout.span)
    met_at = asking.first_truths(crowd.past, settings.rule, crowd.contact, crowd.at, np.minimum(ends, crowd.until))
    is_met = met_at <= ends
    way = np.where(is_met, _places(step, "met"), _places(step, "timed_out")).astype(np.int16)
    return Moved(way, np.where(is_met, met_at, ends))


def repeats(settings: Any, step: Step, crowd: Crowd) -> Moved:
    """ON for those who meet the rule, else another turn of the body."""
    truth = asking.truths(crowd.past, settings.until, crowd.contact, crowd.at)
    return _go(crowd, np.where(truth, ON, 0).astype(np.int16))


def draws(settings: Any, step: Step, crowd: Crowd) -> Moved:
    """The arm that was drawn for each, or would be; the control's way for those who take no part."""
    found = Experiment.objects.select_related("winner").get(key=settings.experiment)
    arms = list(found.arms.order_by("position"))
    names = {arm.pk: arm.key for arm in arms}
    control = next(arm.key for arm in arms if arm.is_control)
    if found.winner_id is not None:
        return _go(crowd, _places(step, names[found.winner_id]))
    drawn = _drawn(found, np.unique(crowd.contact).tolist())
    ways = [_places(step, names.get(drawn.get(contact, 0) or 0, control)) for contact in crowd.contact.tolist()]
    return _go(crowd, np.array(ways, dtype=np.int16))


def _drawn(experiment: Experiment, contact_ids: list[int]) -> dict[int, int | None]:
    draw = experiments.arms_sql(experiment)
    values = draw.parameters | {
        "organization": tenancy.required(), "experiment": experiment.pk, "contacts": contact_ids,
        "takes_in": experiment.status in (ExperimentStatus.RUNNING, ExperimentStatus.DRAFT),
    }  # fmt: skip
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(ARMS_SQL.format(draw=draw.sql), values)
        return dict(cursor.fetchall())


def splits(settings: Any, step: Step, crowd: Crowd) -> Moved:
    """The very draw of the live step."""
    place = f"{crowd.automation_id}:{step.id}"
    people, back = np.unique(crowd.contact, return_inverse=True)
    ways = [_places(step, random_split.draw(settings.ways, place, contact)) for contact in people.tolist()]
    return _go(crowd, np.array(ways, dtype=np.int16)[back])


def branches_many(settings: Any, step: Step, crowd: Crowd) -> Moved:
    """The first way whose rule was met, asked of those who have none yet."""
    ways = np.full(len(crowd.at), _places(step, "otherwise"), dtype=np.int16)
    rest = np.arange(len(crowd.at))
    for way in settings.ways:
        truth = asking.truths(crowd.past, way.rule, crowd.contact[rest], crowd.at[rest])
        ways[rest[truth]] = _places(step, way.name)
        rest = rest[~truth]
    return _go(crowd, ways)


def waits_for_time(settings: Any, step: Step, crowd: Crowd) -> Moved:
    """Until the contact's own clock says so."""
    at = local_times.read_time(settings.time)
    assert at is not None
    zones = local_times.zones(np.unique(crowd.contact).tolist())
    pairs = zip(crowd.contact.tolist(), moments(crowd.at), strict=True)
    left = [micros(local_times.following(now, at, settings.weekdays, zones[contact])) for contact, now in pairs]
    return Moved(_go(crowd, ON).way, np.array(left, dtype=np.int64))


def waits_for_date(settings: Any, step: Step, crowd: Crowd) -> Moved:
    """Until the date that is stored today; who has none, or whose has passed, goes on at once."""
    people, back = np.unique(crowd.contact, return_inverse=True)
    due = wait_for_date.due_moments(settings, people.tolist())
    left = np.array([micros(found) if (found := due[one]) else 0 for one in people.tolist()], dtype=np.int64)
    return Moved(_go(crowd, ON).way, np.maximum(left[back], crowd.at))


def _places(step: Step, name: str) -> int:
    return list(step.branches).index(name)


JUDGES: dict[str, Judge] = {
    "wait": waits,
    "branch": branches,
    "wait_until": waits_until,
    "repeat": repeats,
    "experiment": draws,
    "exit": leaves,
    "random_split": splits,
    "branch_many": branches_many,
    "wait_for_time": waits_for_time,
    "wait_for_date": waits_for_date,
}


def judge(step_type: str) -> Judge:
    return JUDGES.get(step_type, goes_on)
