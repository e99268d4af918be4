"""What a simulation cannot know, in sentences: told beside its numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from automations.domain import tree
from automations.domain.tree import Step
from automations.selectors import step_sentence
from automations.simulation import asking
from automations.simulation.candidates import Candidates
from automations.simulation.flow import Flow, rules_of
from automations.simulation.messages import Template
from automations.words import counted
from common.errors import Invalid
from segments import rules
from segments.rules import needs

AFRESH = "As if the workflow had been switched on at the beginning of this time, with nobody inside it yet."
AS_TODAY = (
    "Events, segments and consents in rules are those of each moment. What contacts are (their fields, attributes, "
    "tags and predictions) is not kept as it was and is taken as it is today: {places}."
)
CHANGED_BEFORE = (
    "“{later}” reads {fields}, which “{earlier}” changes before it. Nothing is changed here, so whoever comes there "
    "is judged by what is stored today."
)
CHANGED_INSIDE = (
    "{rule} reads {fields}, which “{earlier}” changes. Nothing is changed here, so nobody is taken out by that. "
    "Live, people are, before the next step; whom the very last step brings there has come to the end."
)
ALLOWED_TODAY = (
    "Whether somebody may be written to (agreement, address, suppression, holdouts) is judged as of today; quiet "
    "hours and caps at the moment of each message, together with what really went to the same people."
)
DATES_AS_TODAY = "Dates are those that stand in the attribute today."
NOT_FOLLOWED = "Other workflows that this one would start, and events that it would write, are not followed."
WITHOUT_FAULTS = "Every step is taken to succeed."
FOLLOW_UP = frozenset({"start_automation", "emit_event"})
# What steps change of a contact, by the fields that rules read.
CHANGES = {
    "add_tag": "tags", "remove_tag": "tags", "update_status": "status", "update_priority": "priority",
    "assign": "assignee", "update_value": "value_minor", "update_attribute": "attributes",
}  # fmt: skip


def about(flow: Flow, heard: Candidates, templates: Mapping[str, Template]) -> list[str]:
    """Everything that must be said of this simulation."""
    found = [AFRESH]
    if heard.note:
        found.append(heard.note)
    if heard.late_count:
        found.append(_late(heard.late_count))
    if hasattr(flow.trigger_settings, "anniversary"):
        found.append(DATES_AS_TODAY)
    if places := [place for place, rule in read_rules(flow) if _is_as_today(rule)]:
        found.append(AS_TODAY.format(places=", ".join(places)))
    found += _changed_before(flow)
    found += _changed_inside(flow)
    if templates:
        found.append(ALLOWED_TODAY)
    if any(step.type in FOLLOW_UP for step in tree.walk(flow.steps)):
        found.append(NOT_FOLLOWED)
    return [*found, WITHOUT_FAULTS]


def _late(count: int) -> str:
    verb = "was" if count == 1 else "were"
    return (
        f"{counted(count, 'event')} {verb} told to us so late (an import, a phone that was offline) that the live "
        "trigger would not have started anybody; here they count as if they had come at once."
    )


def read_rules(flow: Flow) -> Iterator[tuple[str, Any]]:
    """Every rule of a workflow with the words for where it stands."""
    if flow.trigger_settings.filter is not None:
        yield "the filter of the trigger", flow.trigger_settings.filter
    for name, rule in (("the goal", flow.goal), ("the exit rule", flow.exit)):
        if rule is not None:
            yield name, rule
    for step in tree.walk(flow.steps):
        for _, rule in rules_of(step):
            yield f"“{step_sentence(step)}”", rule


def _is_as_today(rule: Any) -> bool:
    try:
        return asking.is_as_today(rules.parse_stored(rule))
    except Invalid:
        return False


def _changed_inside(flow: Flow) -> Iterator[str]:
    """A goal or exit rule that reads what the workflow's own steps change."""
    changing = {CHANGES[step.type]: step for step in tree.walk(flow.steps) if step.type in CHANGES}
    for words, rule in (("The goal", flow.goal), ("The exit rule", flow.exit)):
        read = {field.split(".")[0] for field in needs.fields(rules.parse_stored(rule))} if rule else set()
        for field in sorted(read & changing.keys()):
            yield CHANGED_INSIDE.format(rule=words, fields=field, earlier=step_sentence(changing[field]))


def _changed_before(flow: Flow) -> Iterator[str]:
    """Rules that read what an earlier step of the same workflow changes."""
    changed: dict[str, Step] = {}
    for step in tree.walk(flow.steps):
        for _, rule in rules_of(step):
            read = {field.split(".")[0] for field in needs.fields(rules.parse_stored(rule))}
            for field in sorted(read & changed.keys()):
                yield CHANGED_BEFORE.format(
                    later=step_sentence(step), fields=field, earlier=step_sentence(changed[field])
                )
        if step.type in CHANGES:
            changed.setdefault(CHANGES[step.type], step)
