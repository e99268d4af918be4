"""Start another workflow for the contact."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from automations.configuration import Wrong, says
from automations.models import Automation
from automations.notices import Asked, StartAsked
from automations.steps.base import ALL_DONE, Group, Results, StepKind, Traveller, skipped
from automations.words import quoted
from common import outbox


class Configuration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Its own entry rule decides whether the contact enters. The contact also goes on here."""

    automation_id: Annotated[int, says("Workflow", type="automation", examples=[7])]


def check(configuration: Configuration, wrong: Wrong) -> None:
    if not Automation.objects.filter(pk=configuration.automation_id).exists():
        wrong("automation_id", f"there is no workflow {configuration.automation_id}")


def execute(configuration: Configuration, group: Group) -> Results:
    """One notice for the whole group, written with the step: whoever is asked for once enters once."""
    other = Automation.objects.filter(pk=configuration.automation_id).first()
    if other is None or not other.is_active:
        reason = f"“{other}” is switched off." if other else "The other workflow is deleted."
        return {run.id: skipped(reason) for run in group.runs}
    asked = [Asked(run.contact_id, group.key(run), _what_started(run)) for run in group.runs]
    outbox.publish(StartAsked(other.pk, asked))
    return ALL_DONE


def _what_started(run: Traveller) -> dict[str, Any]:
    """Without the offer that a step gave: it is this run's."""
    return {name: value for name, value in run.facts.items() if name != "offer"}


def sentence(configuration: Configuration) -> str:
    other = Automation.objects.filter(pk=configuration.automation_id).first()
    return f"Start the workflow {quoted(str(other)) if other else f'{configuration.automation_id} (deleted)'}"


STEP = StepKind(
    "Start workflow",
    "Asks for the contact to enter another workflow, and goes on here.",
    Configuration,
    execute,
    sentence,
    check,
    group="Elsewhere",
)
