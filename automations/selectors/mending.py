"""What is still wrong with a flow, in the words of its cards instead of the places of its JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from automations import catalogue
from automations.domain import tree
from automations.domain.tree import Problems, Step
from automations.steps import STEPS
from automations.triggers import TRIGGERS

# The cards at the top, by the beginning of their places.
EDGES = {
    "trigger": ("trigger", "Starts"),
    "entry": ("entry", "How often"),
    "goal": ("goal", "Goal"),
    "exit": ("exit", "Leaves early"),
}


@dataclass(frozen=True)
class ToMend:
    """One fault: `card` is the step's id or the name of a card at the top, "" for what belongs to none."""

    card: str
    title: str
    sentence: str


def to_mend(flow: Mapping[str, Any], problems: Mapping[str, str]) -> list[ToMend]:
    """Each of `problems` (place → sentence) with the card and the field it is about, in their order."""
    steps = list(tree.walk(tree.read_actions(flow.get("actions", []), Problems())))
    return [_told(flow, steps, place, sentence) for place, sentence in problems.items()]


def _told(flow: Mapping[str, Any], steps: list[Step], place: str, sentence: str) -> ToMend:
    step = max((one for one in steps if _is_below(place, one.place)), key=lambda one: len(one.place), default=None)
    if step is not None:
        kind = STEPS.get(step.type)
        label = kind.label if kind else step.type
        said = _said(kind.configuration if kind else None, place, f"{step.place}.configuration", sentence)
        return ToMend(step.id, label, said)
    card, title = EDGES.get(place.split("_")[0], ("", ""))
    trigger = TRIGGERS.get(str(flow.get("trigger_type")))
    said = _said(trigger.configuration if trigger else None, place, "trigger_configuration", sentence)
    return ToMend(card, title, said)


def _is_below(place: str, around: str) -> bool:
    return place.startswith(around) and place[len(around) :][:1] in ("", ".", "[")


def _said(struct: type[msgspec.Struct] | None, place: str, around: str, sentence: str) -> str:
    if struct is None or not _is_below(place, around):
        return sentence
    name = place[len(around) :].lstrip(".").split(".")[0].split("[")[0]
    label = catalogue.labels(struct).get(name)
    return f"{label}: {sentence}" if label else sentence
