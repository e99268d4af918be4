"""What is simulated: a document with everything read that the replay needs, published or not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from automations import configuration
from automations.domain import tree
from automations.domain.tree import Step
from automations.models import Automation
from automations.steps import STEPS
from automations.steps.base import StepKind
from automations.triggers import TRIGGERS
from common.errors import Invalid
from delivery.models import Weight


@dataclass(frozen=True)
class Flow:
    """A workflow ready to be replayed. `automation_id` is 0 for one that was never saved."""

    document: Mapping[str, Any]
    steps: tuple[Step, ...]
    trigger_key: str
    trigger_settings: Any
    automation_id: int = 0
    weight: int = Weight.NORMAL
    shelf_hours: int | None = None

    @property
    def entry_rule(self) -> str:
        return str(self.document["entry"]["rule"])

    @property
    def entry_days(self) -> int:
        return int(self.document["entry"].get("days") or 0)

    @property
    def entry_key(self) -> str:
        return str(self.document["entry"].get("key") or "")

    @property
    def goal(self) -> Any:
        return self.document.get("goal")

    @property
    def exit(self) -> Any:
        return self.document.get("exit")


def read(document: Mapping[str, Any], automation: Automation | None = None) -> Flow:
    """A checked document as a flow. Raises `Invalid` when a kind has changed since it was written."""
    trigger = document["trigger"]
    kind = TRIGGERS.find(trigger["type"])
    settings = configuration.read(kind.configuration, trigger["configuration"])
    steps = tree.read_steps(document["steps"])
    for step in tree.walk(steps):
        settings_of(step)
    flow = Flow(document, steps, kind.key(settings), settings)
    if automation is None:
        return flow
    return Flow(document, steps, flow.trigger_key, settings, automation.pk, automation.weight, automation.shelf_hours)


def settings_of(step: Step) -> Any:
    """The step's configuration as its kind reads it; raises `Invalid`."""
    kind: StepKind[Any] | None = STEPS.get(step.type)
    if kind is None:
        raise Invalid(f"There is no kind of step “{step.type}” any more.", details={step.place: "unknown step"})
    return configuration.read(kind.configuration, step.configuration)


def rules_of(step: Step) -> list[tuple[str, dict[str, Any]]]:
    """The segment rules in a step's configuration, each with the name of its way where there are several."""
    settings, found = settings_of(step), []
    for place in STEPS[step.type].rules:
        listed, _, name = place.rpartition("[].")
        for holder in getattr(settings, listed) if listed else [settings]:
            rule = getattr(holder, name, None)
            if isinstance(rule, dict):
                found.append((str(getattr(holder, "name", "")) if listed else "", rule))
    return found
