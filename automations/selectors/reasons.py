"""Why a run went its way: what was kept when it was decided, and the rule told with it by the rules' own compiler.

What people did, where they stood and what they agreed to is looked up as of that moment; the fields that a rule read
were kept with the record, since fields have no history.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from automations import configuration
from automations.domain.tree import Step
from automations.models import AutomationRun, ExitReason, StepOutcome, StepRun
from automations.steps import STEPS
from automations.steps.branch import THEN
from automations.steps.reading import FACTS
from automations.steps.wait_until import MET
from automations.words import quoted
from automations.workflows import Workflow
from common.errors import AppError
from segments import rules
from segments.rules import needs, remembered
from segments.rules.catalogue import label
from segments.rules.explain import Node, explain
from segments.rules.scene import shown
from segments.rules.tree import Rule

ENDED = {StepOutcome.GOAL.value: ExitReason.GOAL, StepOutcome.EXITED.value: ExitReason.EXIT_RULE}


@dataclass(frozen=True)
class Asked:
    """One rule that was asked, of the way called `name`; `agrees` says whether it leads where the run went."""

    node: Node
    agrees: bool
    name: str = ""


@dataclass(frozen=True)
class Why:
    """`told` is a sentence; `known` are the fields as they were kept; `asked` the rules, told with them.

    `is_kept`: everything the rules read of the contact was kept, so nothing here is as of today.
    """

    way: str
    told: str = ""
    known: list[tuple[str, str]] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    is_kept: bool = True

    @property
    def agrees(self) -> bool:
        return all(each.agrees for each in self.asked)


@dataclass(frozen=True)
class _Question:
    """A rule and what it must have said for the run to go where it went."""

    rule: Any
    wanted: bool
    name: str = ""


def why(run: AutomationRun, workflow: Workflow | None, step: Step | None, row: StepRun) -> Why | None:
    """Why this record says what it says; None where nothing was decided, or nothing can be told any more."""
    way = str(row.detail.get("branch") or row.detail.get("reason") or "")
    try:
        if row.outcome in ENDED and workflow is not None:
            rule = workflow.endings.get(ENDED[StepOutcome(row.outcome).value])
            is_ours = row.detail.get("reason") in ("reached the goal", "met the exit rule")
            return _told(run, row, way, "", [_Question(rule, True)]) if rule is not None and is_ours else None
        decide = REASONS.get(step.type) if step is not None else None
        if step is None or decide is None or row.outcome not in (StepOutcome.BRANCHED, StepOutcome.DONE):
            return None
        kind = STEPS[step.type]
        told, questions = decide(configuration.read(kind.configuration, step.configuration), row.detail)
        return _told(run, row, way, told, questions)
    except (AppError, configuration.Mistake):
        return None


def _told(run: AutomationRun, row: StepRun, way: str, told: str, questions: list[_Question]) -> Why:
    facts = row.detail.get(FACTS)
    kept: Mapping[str, Any] | None = facts if isinstance(facts, dict) else None
    asked, is_kept = [], True
    for question in questions:
        rule = rules.parse_stored(question.rule)
        was = remembered.was(rule, kept) if kept is not None else None
        is_kept &= _is_kept(rule, was)
        node = explain(rule, run.contact_id, row.happened_at, is_past=True, was=was)
        if node is not None:
            asked.append(Asked(node, node.is_true == question.wanted, question.name))
    known = [
        (label(name), shown(value) if value not in ("", []) else "") for name, value in sorted((kept or {}).items())
    ]
    return Why(way, told, known, asked, is_kept)


def _is_kept(rule: Rule, was: remembered.Was | None) -> bool:
    """Events, memberships and consents have a history, fields were kept; predictions are known as of today only."""
    if any(name.startswith("prediction.") for name in needs.fields(rule)):
        return False
    return was is not None or not needs.contact_fields(rule)


def is_decision(row: StepRun) -> bool:
    """Whether something may be told about this record."""
    is_repeat = row.outcome == StepOutcome.DONE and "turns" in row.detail
    return row.outcome == StepOutcome.BRANCHED or row.outcome in ENDED or is_repeat


# --- what each kind asked ------------------------------------------------------------------------------


def _branch(settings: Any, detail: Mapping[str, Any]) -> tuple[str, list[_Question]]:
    return "", [_Question(settings.rule, detail.get("branch") == THEN)]


def _ways(settings: Any, detail: Mapping[str, Any]) -> tuple[str, list[_Question]]:
    """Those before the one taken said no, it said yes; nobody asked those after it."""

    def asked() -> Iterator[_Question]:
        for way in settings.ways:
            yield _Question(way.rule, way.name == detail.get("branch"), way.name)
            if way.name == detail.get("branch"):
                return

    return "The first rule that holds is taken.", list(asked())


def _awaited(settings: Any, detail: Mapping[str, Any]) -> tuple[str, list[_Question]]:
    is_met = detail.get("branch") == MET
    waited = "after a wait" if detail.get("waited") else "at once"
    told = f"The rule was met {waited}." if is_met else "The time was over before the rule was met."
    return told, [_Question(settings.rule, is_met)]


def _repeated(settings: Any, detail: Mapping[str, Any]) -> tuple[str, list[_Question]]:
    if detail.get("reason") == "limit":
        return f"It had all {settings.most:,} turns.", [_Question(settings.until, False)]
    if detail.get("reason") == "met":
        return f"The rule was met after {detail.get('turns', 0):,} turns.", [_Question(settings.until, True)]
    return f"Turn {detail.get('turn', 1):,} began.", [_Question(settings.until, False)]


def _drawn(settings: Any, detail: Mapping[str, Any]) -> tuple[str, list[_Question]]:
    total = sum(way.weight for way in settings.ways) or 1
    shares = ", ".join(f"{quoted(way.name)} {way.weight / total:.0%}" for way in settings.ways)
    return f"Drawn by chance among {shares}; always the same way for this contact.", []


def _arm(settings: Any, detail: Mapping[str, Any]) -> tuple[str, list[_Question]]:
    if detail.get("is_in", True):
        return f"The arm that experiment {quoted(settings.experiment)} drew for this contact.", []
    return f"Took no part in experiment {quoted(settings.experiment)}, and so went the control's way.", []


def _best(settings: Any, detail: Mapping[str, Any]) -> tuple[str, list[_Question]]:
    draws = detail.get("draws") or {}
    ranked = sorted(draws.items(), key=lambda item: -item[1])
    told = str(detail.get("reason", ""))
    closed = [way.name for way in settings.ways if way.name not in draws]
    told += f" Draws: {', '.join(f'{quoted(name)} {value:g}' for name, value in ranked)}." if ranked else ""
    told += f" Not open: {', '.join(map(quoted, closed))}." if closed else ""
    return told, [_Question(way.rule, True, way.name) for way in settings.ways if way.rule and way.name in draws]


REASONS: dict[str, Callable[[Any, Mapping[str, Any]], tuple[str, list[_Question]]]] = {
    "branch": _branch,
    "branch_many": _ways,
    "wait_until": _awaited,
    "repeat": _repeated,
    "random_split": _drawn,
    "experiment": _arm,
    "next_best_action": _best,
}
