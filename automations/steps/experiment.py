"""A journey's paths as the arms of an experiment: who gets which is drawn once, and logged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec

from automations.configuration import Wrong, says
from automations.models import StepOutcome
from automations.steps.base import Group, Result, Results, StepKind
from common.errors import AppError, Permanent
from experiments import services as experiments
from experiments.models import Experiment, ExperimentStatus


class Configuration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`experiment` is its key. The step has a branch for each arm, called by the arm's key."""

    experiment: Annotated[str, says("Experiment", type="experiment", examples=["two-paths"])]


def branches(configuration: Configuration) -> Sequence[str] | None:
    """The keys of the arms, in their order."""
    found = _find(configuration)
    return list(found.arms.order_by("position").values_list("key", flat=True)) if found else None


def check(configuration: Configuration, wrong: Wrong) -> None:
    found = _find(configuration)
    if found is None:
        wrong("experiment", f"there is no experiment “{configuration.experiment}”")
    elif found.status == ExperimentStatus.ARCHIVED:
        wrong("experiment", f"“{found}” is archived; choose one that runs, or a draft")


def publish(configuration: Configuration, wrong: Wrong) -> None:
    """A draft begins with the workflow: from now on its arms are settled."""
    found = _find(configuration)
    if found is None or found.status != ExperimentStatus.DRAFT:
        return
    try:
        experiments.start(found)
    except AppError as error:
        wrong("experiment", error.message)


def execute(configuration: Configuration, group: Group) -> Results:
    """One draw for the whole group. Coming here is meeting the arm; who takes no part goes the control's way."""
    found = _find(configuration)
    if found is None:
        raise Permanent(
            f"There is no experiment “{configuration.experiment}” any more; publish the workflow without it."
        )
    arms = list(found.arms.order_by("position"))
    keys = {arm.pk: arm.key for arm in arms}
    control = next(arm.key for arm in arms if arm.is_control)
    drawn = experiments.assign(found.pk, group.contact_ids, is_exposed=True)
    return {run.id: _into(keys.get(drawn.get(run.contact_id, 0)), control) for run in group.runs}


def _into(arm: str | None, control: str) -> Result:
    """`is_in` says whether the arm was drawn for this contact."""
    return Result(StepOutcome.BRANCHED, {"branch": arm or control, "is_in": arm is not None}, branch=arm or control)


def sentence(configuration: Configuration) -> str:
    found = _find(configuration)
    return f"Experiment “{found or configuration.experiment}”: each contact goes one arm's way"


def _find(configuration: Configuration) -> Experiment | None:
    return Experiment.objects.filter(key=configuration.experiment).first()


STEP = StepKind(
    "Experiment",
    "Sends each contact down the branch of the arm that was drawn for them, always the same one.",
    Configuration,
    execute,
    sentence,
    check,
    publish,
    group="Ways",
    branches_of=branches,
    branches_from="experiment",
)
