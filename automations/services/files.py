"""A workflow as a file that can be carried to another organisation: names stand where numbers differ."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db import transaction

from automations import catalogue
from automations.domain.tree import Problems
from automations.models import Automation
from automations.selectors.flows import FLOW, flow_of_version
from automations.services import automations, drafts
from automations.services.names import NOUNS, Exchange, Kinds, Names, exchanged, rule_exchanged
from automations.steps import STEPS
from automations.triggers import TRIGGERS
from common.errors import Invalid

FORMAT = 1
KIND = "workflow"
SETTINGS = ("name", "description", "run_immediately", "weight", "shelf_hours")
KEYS = {"format", "kind", "flow", "holdout_percent", *SETTINGS}


def export(automation: Automation, *, of_draft: bool = False) -> str:
    """The workflow as canonical JSON: sorted keys, two spaces, a newline at the end.

    Of the version that people enter, or of what somebody is writing. A number that leads nowhere any more stays.
    """
    standing = drafts.standing(automation)
    flow = (
        standing.flow
        if of_draft or automation.current_version is None
        else flow_of_version(automation.current_version)
    )
    settings = {name: getattr(automation, name) for name in SETTINGS}
    file = {
        "format": FORMAT,
        "kind": KIND,
        **settings,
        "holdout_percent": float(automation.holdout_percent),
        "flow": _carried(flow, _to_name(Names())),
    }
    return canonical(file)


def canonical(value: Any) -> str:
    """The one spelling of a file."""
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def read(file: Any) -> dict[str, Any]:
    """The flow of a file in this organisation's numbers; raises `Invalid` that names what is missing here."""
    problems = Problems()
    _check_frame(file, problems)
    flow = file.get("flow") if isinstance(file, dict) else None
    if not isinstance(flow, dict):
        problems.add("flow", "is missing; it holds the trigger and the steps")
        flow = {}
    for key in sorted(flow.keys() - set(FLOW)):
        problems.add(f"flow.{key}", f"unknown field; a flow has {', '.join(sorted(FLOW))}")
    if not problems:
        drafts.check_shape(flow)
        flow = _carried(flow, _to_number(Names(), problems))
    if problems:
        place, sentence = next(iter(problems.items()))
        raise Invalid(f"{place}: {sentence}", code="invalid_file", details=dict(problems))
    return flow


def import_file(file: Any) -> Automation:
    """A new workflow, switched off, from what `export` wrote; its first version is checked as any other.

    Raises `Invalid` with every problem by its place, and then nothing is written.
    """
    flow = read(file)
    values = {name: file[name] for name in SETTINGS if name in file}
    if "holdout_percent" in file:
        values["holdout_percent"] = _percent(file["holdout_percent"])
    with transaction.atomic():
        return automations.create_automation(values | {"slug": drafts.free_slug(str(values["name"]))} | flow)


def _check_frame(file: Any, problems: Problems) -> None:
    if not isinstance(file, dict) or file.get("kind") != KIND:
        problems.add("kind", f'this is no file of a workflow; it would say "kind": "{KIND}"')
        return
    if file.get("format") != FORMAT:
        problems.add("format", f"only format {FORMAT} is known here")
    for key in sorted(file.keys() - KEYS):
        problems.add(key, f"unknown field; a file has {', '.join(sorted(KEYS))}")
    wanted = {"name": str, "description": str, "run_immediately": bool, "weight": int}
    for name, kind in wanted.items():
        if name in file and (not isinstance(file[name], kind) or (kind is int and isinstance(file[name], bool))):
            problems.add(name, "has another type here; write the file again")
    if not isinstance(file.get("name"), str) or not file["name"].strip():
        problems.add("name", "is missing")


def _percent(value: Any) -> Decimal:
    try:
        return Decimal(str(value))
    except InvalidOperation as error:
        raise Invalid("holdout_percent: must be a number", details={"holdout_percent": "must be a number"}) from error


# --- names for numbers -------------------------------------------------------------------------------


def _carried(flow: Mapping[str, Any], exchange: Exchange) -> dict[str, Any]:
    carried = dict(flow)
    kind = TRIGGERS.get(str(flow.get("trigger_type")))
    if kind is not None:
        fields = catalogue.trigger("", kind, Kinds())["fields"]  # type: ignore[arg-type]
        place = "trigger_configuration"
        if place in flow:
            carried[place] = exchanged(fields, flow[place], place, exchange)
    for name in ("goal_rule", "exit_rule"):
        if flow.get(name) is not None:
            carried[name] = rule_exchanged(flow[name], name, exchange)
    carried["actions"] = _actions(flow.get("actions") or [], "actions", exchange)
    return carried


def _actions(actions: list[dict[str, Any]], place: str, exchange: Exchange) -> list[dict[str, Any]]:
    return [_action(action, f"{place}[{index}]", exchange) for index, action in enumerate(actions)]


def _action(action: dict[str, Any], place: str, exchange: Exchange) -> dict[str, Any]:
    carried = dict(action)
    kind = STEPS.get(str(action.get("action_type")))
    if kind is not None and "configuration" in action:
        fields = catalogue.step("", kind, Kinds())["fields"]  # type: ignore[arg-type]
        carried["configuration"] = exchanged(fields, action["configuration"], f"{place}.configuration", exchange)
    if "branches" in action:
        carried["branches"] = {
            name: _actions(steps, f"{place}.branches.{name}", exchange) for name, steps in action["branches"].items()
        }
    return carried


def _to_name(names: Names) -> Exchange:
    def exchange(kind: str, value: Any, place: str) -> Any:
        known = names.name_of(kind, value) if isinstance(value, int) and not isinstance(value, bool) else None
        return value if known is None else known

    return exchange


def _to_number(names: Names, problems: Problems) -> Exchange:
    def exchange(kind: str, value: Any, place: str) -> Any:
        noun = NOUNS[kind]
        if value is None:
            return None
        if not isinstance(value, str):
            problems.add(place, f"name the {noun}: numbers differ between organisations")
            return value
        number = names.number_of(kind, value)
        if number is None:
            problems.add(place, f"there is no {noun} “{value}” here; make it first, or name another in the file")
        return number

    return exchange
