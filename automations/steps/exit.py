"""Leave the workflow here."""

from __future__ import annotations

from typing import Annotated

import msgspec

from automations.configuration import says
from automations.models import StepOutcome
from automations.steps.base import Group, Result, Results, StepKind


class Configuration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    reason: Annotated[str, says("Reason", "Shown in the history of the contact.", examples=["bought already"])] = ""


def execute(configuration: Configuration, group: Group) -> Results:
    """Everybody leaves."""
    detail = {"reason": configuration.reason} if configuration.reason else {}
    return {run.id: Result(StepOutcome.EXITED, detail, leaves=True) for run in group.runs}


def sentence(configuration: Configuration) -> str:
    return f"Leave the workflow ({configuration.reason})" if configuration.reason else "Leave the workflow"


STEP = StepKind(
    "Exit", "Takes a contact out of the workflow at once.", Configuration, execute, sentence, group="Ways"
)
