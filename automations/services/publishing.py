"""From JSON to a version that runs: everything is checked, every problem is told with its place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec
from django.db.models import Max

from accounts import actor
from automations import configuration
from automations.configuration import Mistake
from automations.domain import tree
from automations.domain.tree import Problems, Step
from automations.models import Automation, AutomationAction, AutomationVersion, EntryRule
from automations.services import offers_named, turns, watches
from automations.steps import STEPS
from automations.steps.base import StepKind
from automations.steps.branch import check_rule
from automations.triggers import TRIGGERS
from common.errors import Invalid
from segments.rules import catalogue
from segments.rules.catalogue import Catalogue
from segments.rules.conditions import by_id

LONGEST_KEY = 300  # of trigger_key
MOST_DAYS = 3660
ENTRY_KEY = re.compile(r"^[A-Za-z_]\w*(\.[^.\s]{1,100}){0,9}$")
RULES = ("goal", "exit")


@dataclass(frozen=True)
class Draft:
    """A workflow as it is sent: the trigger, who may enter again, the steps, the goal and what ends it."""

    trigger_type: str
    trigger_configuration: Any
    entry_rule: str
    actions: Any
    entry_days: Any = None
    entry_key: Any = ""
    goal_rule: Any = None
    exit_rule: Any = None


@dataclass(frozen=True)
class Checked:
    """A draft without problems: its document, its steps, and what it listens to."""

    document: dict[str, Any]
    steps: tuple[Step, ...]
    trigger_key: str


def check(draft: Draft) -> Checked:
    """Check a draft and make ready what its steps need (in the caller's transaction).

    Raises `Invalid` with every problem by its place, such as `actions[0].configuration.template_id`.
    """
    problems, steps, trigger_key = _looked_at(draft)
    if not problems:
        _each_step(steps, problems, lambda kind: kind.publish)
        offers_named.check(list(tree.walk(steps)), problems)
    if problems:
        place, sentence = next(iter(problems.items()))
        raise Invalid(f"{place}: {sentence}", code="invalid_automation", details=dict(problems))
    document = _document(draft, steps)
    _name_segments_by_id(document)
    return Checked(document, tree.read_steps(document["steps"]), trigger_key)


def problems_of(draft: Draft) -> Problems:
    """What is wrong with a draft, by place. It only reads; publishing may still find what only trying shows."""
    problems, steps, _ = _looked_at(draft)
    offers_named.check(list(tree.walk(steps)), problems)
    return problems


def _looked_at(draft: Draft) -> tuple[Problems, tuple[Step, ...], str]:
    problems = Problems()
    trigger_key = _check_trigger(draft, problems)
    _check_entry(draft, problems)
    for place, rule in (("goal_rule", draft.goal_rule), ("exit_rule", draft.exit_rule)):
        if rule is not None:
            check_rule(rule, place, partial(_wrong, problems, ""))
    steps = tree.read_actions(draft.actions, problems)
    _each_step(steps, problems, lambda kind: kind.check)
    return problems, steps, trigger_key


def _check_trigger(draft: Draft, problems: Problems) -> str:
    place = "trigger_configuration"
    if draft.trigger_type not in TRIGGERS:
        problems.add("trigger_type", f'unknown trigger "{draft.trigger_type}"; known: {", ".join(sorted(TRIGGERS))}')
        return ""
    kind = TRIGGERS[draft.trigger_type]
    try:
        settings = configuration.read(kind.configuration, draft.trigger_configuration)
    except Mistake as mistake:
        problems.add(f"{place}{mistake.place}", mistake.sentence)
        return ""
    kind.check(settings, partial(_wrong, problems, place))
    if settings.filter is not None:
        check_rule(settings.filter, "filter", partial(_wrong, problems, place))
    key: str = kind.key(settings)
    if len(key) > LONGEST_KEY:
        problems.add(place, "the name in it is too long")
    return key


def _check_entry(draft: Draft, problems: Problems) -> None:
    if draft.entry_rule not in EntryRule.values:
        problems.add("entry_rule", f"must be one of {', '.join(EntryRule.values)}")
    days = draft.entry_days
    if draft.entry_rule == EntryRule.AFTER_DAYS and not (
        isinstance(days, int) and not isinstance(days, bool) and 1 <= days <= MOST_DAYS
    ):
        problems.add("entry_days", f"say after how many days somebody may enter again, from 1 to {MOST_DAYS:,}")
    if draft.entry_rule == EntryRule.CONCURRENT and not (
        isinstance(draft.entry_key, str) and ENTRY_KEY.match(draft.entry_key)
    ):
        problems.add("entry_key", 'say where the value stands, such as "event.properties.order_id"')


def _each_step(
    steps: tuple[Step, ...], problems: Problems, chosen: Callable[[StepKind[Any]], Callable[..., None]]
) -> None:
    for step in tree.walk(steps):
        kind = STEPS.get(step.type)
        if kind is None:
            if step.type:
                known = ", ".join(sorted(STEPS))
                problems.add(f"{step.place}.action_type", f'unknown step "{step.type}"; known: {known}')
            continue
        place = f"{step.place}.configuration"
        try:
            settings = configuration.read(kind.configuration, step.configuration)
        except Mistake as mistake:
            problems.add(f"{place}{mistake.place}", mistake.sentence)
            if kind.branches_of is None:
                _check_branches(step, kind.branches, problems)
            continue
        names = kind.branches_of(settings) if kind.branches_of else kind.branches
        if names is not None:
            _check_branches(step, names, problems)
        chosen(kind)(settings, partial(_wrong, problems, place))


def _check_branches(step: Step, names: Sequence[str], problems: Problems) -> None:
    for name in sorted(step.branches.keys() - set(names)):
        allowed = f"it has {' and '.join(names)}" if names else "it has none"
        problems.add(f"{step.place}.branches.{name}", f"{step.type} has no such branch; {allowed}")
    for name in names:
        if name not in step.branches:
            problems.add(f"{step.place}.branches.{name}", "is missing; give it a list of steps, which may be empty")


def _wrong(problems: Problems, place: str, field: str, sentence: str) -> None:
    problems.add(".".join(part for part in (place, field) if part), sentence)


def _document(draft: Draft, steps: tuple[Step, ...]) -> dict[str, Any]:
    return {
        "format": tree.FORMAT,
        "trigger": {"type": draft.trigger_type, "configuration": draft.trigger_configuration},
        "entry": _entry(draft),
        "steps": tree.write_steps(steps),
        **{name: rule for name, rule in (("goal", draft.goal_rule), ("exit", draft.exit_rule)) if rule is not None},
    }


def _entry(draft: Draft) -> dict[str, Any]:
    entry: dict[str, Any] = {"rule": draft.entry_rule}
    if draft.entry_rule == EntryRule.AFTER_DAYS:
        entry["days"] = draft.entry_days
    if draft.entry_rule == EntryRule.CONCURRENT:
        entry["key"] = draft.entry_key
    return entry


def _name_segments_by_id(document: dict[str, Any]) -> None:
    """A slug in a rule becomes an id, which outlives a change of the slug."""
    known = catalogue.load()
    trigger = document["trigger"]
    if trigger["configuration"].get("filter") is not None:
        trigger["configuration"] = _by_id(trigger["configuration"], ["filter"], known)
    document |= _by_id({name: document[name] for name in ("goal", "exit") if name in document}, RULES, known)
    waiting = list(document["steps"])
    while waiting:
        step = waiting.pop()
        step["configuration"] = _by_id(step["configuration"], STEPS[step["type"]].rules, known)
        waiting += [inner for branch in step.get("branches", {}).values() for inner in branch]


def _by_id(configuration: dict[str, Any], places: Iterable[str], known: Catalogue) -> dict[str, Any]:
    """Places are fields, or fields of the objects in a list (`ways[].rule`)."""
    changed = dict(configuration)
    for place in places:
        name, _, inner = place.partition("[].")
        if inner:
            changed[name] = [_by_id(item, [inner], known) for item in changed.get(name) or []]
        elif changed.get(name) is not None:
            changed[name] = by_id(changed[name], known)
    return changed


def write_version(automation: Automation, checked: Checked) -> AutomationVersion:
    """Write a checked draft as the automation's next version and let new people enter it.

    A document like the current one makes no version. The caller saves the automation.
    """
    current = automation.current_version
    if current is not None and _same(current.document, checked.document):
        return current
    latest = automation.versions.aggregate(latest=Max("number"))["latest"] or 0
    version = AutomationVersion.objects.create(
        automation=automation,
        number=latest + 1,
        document=checked.document,
        first_step_id=tree.ways(checked.steps).first,
        author=actor.current().name,
    )
    AutomationAction.objects.bulk_create(_rows(version, checked.steps))
    watches.write(version)
    automation.current_version = version
    automation.trigger_type = checked.document["trigger"]["type"]
    automation.trigger_configuration = checked.document["trigger"]["configuration"]
    automation.trigger_key = checked.trigger_key
    entry = checked.document["entry"]
    automation.entry_rule, automation.entry_days = entry["rule"], entry.get("days")
    automation.entry_key = entry.get("key", "")
    turns.keep(automation)
    return version


def spelled(version: AutomationVersion) -> dict[str, Any]:
    """A version in the API's words, ready to be sent again."""
    document = version.document
    return {
        "entry_rule": document["entry"]["rule"],
        "entry_days": document["entry"].get("days"),
        "entry_key": document["entry"].get("key", ""),
        "goal_rule": document.get("goal"),
        "exit_rule": document.get("exit"),
        "actions": tree.actions(tree.read_steps(document["steps"])),
    }


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Compared as JSON text, so that 1 and true or 1 and 1.0 are not taken for one."""
    return msgspec.json.encode(one, order="sorted") == msgspec.json.encode(other, order="sorted")


def _rows(version: AutomationVersion, steps: tuple[Step, ...]) -> list[AutomationAction]:
    return [
        AutomationAction(
            version=version,
            step_id=step.id,
            path=step.path,
            action_type=step.type,
            action_order=int(step.path.rsplit(".", 1)[-1]),
            is_active=step.is_active,
            configuration=step.configuration,
        )
        for step in tree.walk(steps)
    ]
