"""Numbers and words about workflows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count

from automations import configuration
from automations.configuration import Mistake
from automations.domain import tree
from automations.domain.tree import Step
from automations.models import AutomationRun, AutomationVersion, RunStatus
from automations.steps import STEPS
from automations.steps.base import StepKind
from automations.triggers import TRIGGERS
from automations.words import counted
from common.errors import Invalid
from segments import rules
from segments.rules.sentences import phrase


@dataclass(frozen=True)
class Counts:
    """How many runs of an automation stand where."""

    in_progress: int = 0
    held: int = 0
    finished: int = 0
    failed: int = 0
    cancelled: int = 0


GROUPS = {
    RunStatus.RUNNING: "in_progress",
    RunStatus.HELD: "held",
    RunStatus.COMPLETED: "finished",
    RunStatus.EXITED: "finished",
    RunStatus.FAILED: "failed",
    RunStatus.CANCELLED: "cancelled",
}


def counts(automation_ids: Sequence[int]) -> dict[int, Counts]:
    """Run counts of these automations: one query over the index runs_by_automation."""
    rows = (
        AutomationRun.objects.filter(automation_id__in=automation_ids)
        .values_list("automation_id", "status")
        .annotate(count=Count("pk"))
        .order_by()
    )
    found: dict[int, dict[str, int]] = {automation_id: {} for automation_id in automation_ids}
    for automation_id, status, count in rows:
        group = GROUPS[RunStatus(status)]
        found[automation_id][group] = found[automation_id].get(group, 0) + count
    return {automation_id: Counts(**groups) for automation_id, groups in found.items()}


@dataclass(frozen=True)
class Line:
    """One line of an outline: how deep it stands, what it says."""

    depth: int
    text: str
    is_active: bool = True
    step_id: str = ""


def outline(version: AutomationVersion) -> list[Line]:
    """The workflow in plain language: the trigger, who may enter again, every step."""
    document = version.document
    lines = [Line(0, text) for text in flow_sentences(document)]
    return lines + _lines(tree.read_steps(document["steps"]), 0)


def flow_sentences(document: dict[str, Any]) -> list[str]:
    """What starts it, who may enter again, and what ends it before its last step."""
    trigger = document["trigger"]
    return [trigger_sentence(trigger["type"], trigger["configuration"]), *_frame(document)]


def _frame(document: dict[str, Any]) -> list[str]:
    """Who may enter again, and what ends it before its last step."""
    entry = document["entry"]
    said = {
        "again": "Contacts may enter again after they have left",
        "after_days": f"Contacts may enter again {counted(entry.get('days') or 0, 'day')} after they have left",
        "concurrent": f"Contacts are inside once at a time for each value of {entry.get('key', '')}",
    }
    lines = [said[entry["rule"]]] if entry["rule"] in said else []
    for name, words in (("goal", "The goal, at which they leave"), ("exit", "They leave without it")):
        if document.get(name) is not None:
            lines.append(f"{words}: {_contacts_where(document[name])}")
    return lines


def trigger_sentence(trigger_type: str, raw: Any) -> str:
    """The trigger in plain language."""
    kind = TRIGGERS.get(trigger_type)
    if kind is None:
        return f"Started by {trigger_type}, which is not known any more"
    try:
        settings = configuration.read(kind.configuration, raw)
    except Mistake as mistake:
        return f"{kind.label} (does not fit any more: {mistake.message})"
    text: str = kind.sentence(settings)
    if settings.filter is not None:
        text += f", only for {_contacts_where(settings.filter)}"
    return text


def _contacts_where(rule: dict[str, Any]) -> str:
    try:
        return f"contacts where {phrase(rules.parse_stored(rule))}"
    except Invalid as error:
        return f"contacts of a rule that does not fit any more ({error.message})"


def _lines(steps: tuple[Step, ...], depth: int) -> list[Line]:
    lines = []
    for step in steps:
        lines.append(Line(depth, step_sentence(step), step.is_active, step.id))
        for name, branch in step.branches.items():
            lines.append(Line(depth + 1, f"{way_name(name)}:", step.is_active))
            lines += _lines(branch, depth + 2) or [Line(depth + 2, "Go on", step.is_active)]
    return lines


WAYS = {name: label for kind in STEPS.values() for name, label in kind.branch_labels.items()}


def way_name(name: str) -> str:
    """A branch as people read it: as the marketer wrote it, but for the first letter, so that “VIP” stays VIP."""
    return WAYS.get(name) or f"{name[:1].upper()}{name[1:].replace('_', ' ')}"


def step_sentence(step: Step) -> str:
    """One step in plain language."""
    kind: StepKind[Any] | None = STEPS.get(step.type)
    if kind is None:
        return f"{step.type}, which is not known any more"
    try:
        return str(kind.sentence(configuration.read(kind.configuration, step.configuration)))
    except Mistake as mistake:
        return f"{kind.label} (does not fit any more: {mistake.message})"
