"""A workflow's flow in the API's words, and told in sentences."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from automations.domain import tree
from automations.domain.tree import Problems, Step
from automations.models import AutomationVersion, EntryRule
from automations.selectors.reports import step_sentence, trigger_sentence
from automations.steps import STEPS
from automations.triggers import TRIGGERS
from automations.words import counted
from common.errors import Invalid
from segments import rules
from segments.rules.sentences import phrase

FLOW = (
    "trigger_type", "trigger_configuration", "entry_rule", "entry_days", "entry_key", "goal_rule", "exit_rule",
    "actions",
)  # fmt: skip
UNKNOWN = "not known any more"


def flow_of_version(version: AutomationVersion) -> dict[str, Any]:
    """A version as a flow; what has its default is left out. Steps stand in their order."""
    document = version.document
    entry = document["entry"]
    flow = {
        "trigger_type": document["trigger"]["type"],
        "trigger_configuration": document["trigger"]["configuration"],
        "entry_rule": entry["rule"],
        "entry_days": entry.get("days"),
        "entry_key": entry.get("key"),
        "goal_rule": document.get("goal"),
        "exit_rule": document.get("exit"),
        "actions": _unordered(tree.actions(tree.read_steps(document["steps"]))),
    }
    return {name: value for name, value in flow.items() if value is not None}


def _unordered(actions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without `action_order`: where a step stands in its list says it."""
    plain = []
    for action in actions:
        step = {name: value for name, value in action.items() if name != "action_order"}
        if "branches" in step:
            step["branches"] = {way: _unordered(steps) for way, steps in step["branches"].items()}
        plain.append(step)
    return plain


def sentences(flow: Mapping[str, Any], problems: Collection[str] = ()) -> dict[str, Any]:
    """`{"trigger", "entry", "goal", "exit", "steps": {step id: sentence}}`.

    `problems` are places; a step that has one is told by its kind alone, for the rest of it may be nonsense.
    """
    steps = tree.read_actions(flow.get("actions", []), Problems())
    return {
        "trigger": _trigger(flow, problems),
        "entry": _entry(flow),
        "goal": _who(flow.get("goal_rule")),
        "exit": _who(flow.get("exit_rule")),
        "steps": {step.id: _step(step, problems) for step in tree.walk(steps)},
    }


def _trigger(flow: Mapping[str, Any], problems: Collection[str]) -> str:
    kind = TRIGGERS.get(str(flow.get("trigger_type")))
    if kind is None:
        return f"{flow.get('trigger_type')}, which is {UNKNOWN}"
    if any(place.startswith("trigger_") for place in problems):
        return f"{kind.label} …"
    return trigger_sentence(str(flow["trigger_type"]), flow.get("trigger_configuration", {}))


def _entry(flow: Mapping[str, Any]) -> str:
    rule = flow.get("entry_rule", EntryRule.ONCE)
    days = flow.get("entry_days")
    if rule == EntryRule.AFTER_DAYS and isinstance(days, int):
        return f"Again {counted(days, 'day')} after they have left"
    if rule == EntryRule.CONCURRENT and flow.get("entry_key"):
        return f"Once at a time for each {flow['entry_key']}"
    return str(EntryRule(rule).label) if rule in EntryRule.values else ""


def _who(rule: Any) -> str:
    if rule is None:
        return ""
    try:
        said = phrase(rules.parse_stored(rule))
    except Invalid:
        return "Contacts who …"
    return f"Contacts where {said}"


def _step(step: Step, problems: Collection[str]) -> str:
    kind = STEPS.get(step.type)
    if kind is None:
        return f"{step.type}, which is {UNKNOWN}"
    own = f"{step.place}.configuration"
    if any(place.startswith(own) and place[len(own) :][:1] in ("", ".", "[") for place in problems):
        return f"{kind.label} …"
    return step_sentence(step)
