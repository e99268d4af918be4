"""A workflow as a tree: an ordered list of steps, where a branching step holds lists of steps. No goto.

Two spellings of one tree: `actions` (the API's words, ordered by `action_order`) and `steps` (the stored
document, ordered by position). Pure Python; what a step may be configured with is the registry's business.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

FORMAT = 1
MOST_STEPS = 200
MOST_DEPTH = 8
STEP_ID = re.compile(r"^[a-z0-9][a-z0-9_-]{0,59}$")
ACTION_KEYS = {"id", "action_type", "action_order", "is_active", "configuration", "branches", "on_error"}
STOP = "stop"
ERROR_POLICIES = (STOP, "continue", "exit")


@dataclass(frozen=True)
class Step:
    """One step. `place` says where it stands in what was sent (`actions[0]`), `path` where in the tree (`0`)."""

    id: str
    type: str
    is_active: bool
    configuration: dict[str, Any]
    branches: dict[str, tuple[Step, ...]] = field(default_factory=dict)
    place: str = ""
    path: str = ""
    on_error: str = STOP


class Problems(dict[str, str]):
    """Place → sentence; the first sentence about a place stays."""

    def add(self, place: str, sentence: str) -> None:
        self.setdefault(place, sentence)


def walk(steps: tuple[Step, ...]) -> Iterator[Step]:
    """Every step, depth first, in the order in which people meet them."""
    for step in steps:
        yield step
        for branch in step.branches.values():
            yield from walk(branch)


# --- reading `actions` -----------------------------------------------------------------------------


@dataclass(frozen=True)
class _Reader:
    problems: Problems
    taken: set[str]
    serial: Counter[str]


def read_actions(raw: object, problems: Problems, place: str = "actions") -> tuple[Step, ...]:
    """The tree that a list of actions spells; every fault goes to `problems` with its place.

    A step without an id gets one from its type and turn (`send_email_1`), so that it keeps its id when a
    workflow is sent again with other steps added.
    """
    reader = _Reader(problems, _given_ids(raw), Counter())
    steps = _read_list(raw, reader, place, "", 1)
    if sum(1 for _ in walk(steps)) > MOST_STEPS:
        problems.add(place, f"a workflow has at most {MOST_STEPS} steps")
    return steps


def _given_ids(raw: object) -> set[str]:
    found: set[str] = set()
    if isinstance(raw, list):
        for item in raw:
            found |= _given_ids(item)
    elif isinstance(raw, dict):
        if isinstance(raw.get("id"), str):
            found.add(raw["id"])
        branches = raw.get("branches")
        if isinstance(branches, dict):
            for branch in branches.values():
                found |= _given_ids(branch)
    return found


def _read_list(raw: object, reader: _Reader, place: str, path: str, depth: int) -> tuple[Step, ...]:
    if not isinstance(raw, list):
        reader.problems.add(place, "must be a list of steps")
        return ()
    if depth > MOST_DEPTH:
        reader.problems.add(place, f"branches nest deeper than {MOST_DEPTH} levels")
        return ()
    ordered = sorted(enumerate(raw), key=lambda pair: _order(pair[1], pair[0]))
    _check_orders(raw, reader.problems, place)
    return tuple(
        _read_step(item, reader, f"{place}[{index}]", f"{path}{position}", depth)
        for position, (index, item) in enumerate(ordered)
    )


def _order(item: object, index: int) -> tuple[int, int]:
    order = item.get("action_order") if isinstance(item, dict) else None
    return (order if _is_whole(order) else index, index)  # type: ignore[return-value]


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _check_orders(raw: list[Any], problems: Problems, place: str) -> None:
    seen: set[int] = set()
    for index, item in enumerate(raw):
        order = item.get("action_order") if isinstance(item, dict) else None
        where = f"{place}[{index}].action_order"
        if order is None:
            continue
        if not _is_whole(order) or not 0 <= order < 1_000_000:
            problems.add(where, "must be a whole number from 0")
        elif order in seen:
            problems.add(where, f"{order} is used twice in this list; the order of the two would be chance")
        else:
            seen.add(order)


def _read_step(raw: object, reader: _Reader, place: str, path: str, depth: int) -> Step:
    if not isinstance(raw, dict):
        reader.problems.add(place, "must be an object with action_type and configuration")
        return Step("", "", False, {}, place=place, path=path)
    for key in sorted(raw.keys() - ACTION_KEYS):
        reader.problems.add(f"{place}.{key}", f"unknown field; a step has {', '.join(sorted(ACTION_KEYS))}")
    step_type = raw.get("action_type")
    if not isinstance(step_type, str) or not step_type:
        reader.problems.add(f"{place}.action_type", "is missing; it names the kind of step")
        step_type = ""
    is_active = raw.get("is_active", True)
    if not isinstance(is_active, bool):
        reader.problems.add(f"{place}.is_active", "must be true or false")
    configuration = raw.get("configuration", {})
    if not isinstance(configuration, dict):
        reader.problems.add(f"{place}.configuration", "must be an object")
        configuration = {}
    step_id = _read_id(raw.get("id"), step_type, reader, f"{place}.id")
    branches = _read_branches(raw.get("branches", {}), reader, f"{place}.branches", path, depth)
    on_error = raw.get("on_error", STOP)
    if on_error not in ERROR_POLICIES:
        reader.problems.add(f"{place}.on_error", f"must be one of {', '.join(ERROR_POLICIES)}")
    return Step(step_id, step_type, is_active is True, configuration, branches, place, path, str(on_error))


def _read_id(raw: object, step_type: str, reader: _Reader, place: str) -> str:
    if raw is None:
        return _free_id(step_type, reader)
    if not isinstance(raw, str) or not STEP_ID.match(raw):
        reader.problems.add(place, "must be 1 to 60 of the characters a-z, 0-9, - and _")
        return ""
    reader.serial[f"id {raw}"] += 1
    if reader.serial[f"id {raw}"] > 1:
        reader.problems.add(place, f'"{raw}" names two steps')
    return raw


def _free_id(step_type: str, reader: _Reader) -> str:
    while True:
        reader.serial[step_type] += 1
        candidate = f"{step_type}_{reader.serial[step_type]}"
        if candidate not in reader.taken:
            return candidate


def _read_branches(raw: object, reader: _Reader, place: str, path: str, depth: int) -> dict[str, tuple[Step, ...]]:
    if not isinstance(raw, dict):
        reader.problems.add(place, "must be an object: name of the branch → list of steps")
        return {}
    return {
        str(name): _read_list(steps, reader, f"{place}.{name}", f"{path}.{name}.", depth + 1)
        for name, steps in raw.items()
    }


def actions(steps: tuple[Step, ...]) -> list[dict[str, Any]]:
    """The tree in the API's words, ready to be sent back to `read_actions`."""
    spelled = []
    for order, step in enumerate(steps):
        action = {
            "id": step.id,
            "action_type": step.type,
            "action_order": order,
            "is_active": step.is_active,
            "configuration": step.configuration,
        }
        if step.on_error != STOP:
            action["on_error"] = step.on_error
        if step.branches:
            action["branches"] = {name: actions(branch) for name, branch in step.branches.items()}
        spelled.append(action)
    return spelled


# --- the stored document ---------------------------------------------------------------------------


def write_steps(steps: tuple[Step, ...]) -> list[dict[str, Any]]:
    """The tree as the document keeps it."""
    written = []
    for step in steps:
        item: dict[str, Any] = {
            "id": step.id,
            "type": step.type,
            "is_active": step.is_active,
            "configuration": step.configuration,
        }
        if step.on_error != STOP:
            item["on_error"] = step.on_error
        if step.branches:
            item["branches"] = {name: write_steps(branch) for name, branch in step.branches.items()}
        written.append(item)
    return written


def read_steps(written: list[dict[str, Any]], path: str = "", place: str = "actions") -> tuple[Step, ...]:
    """The tree of a stored document (checked when it was published)."""
    return tuple(
        Step(
            item["id"],
            item["type"],
            item["is_active"],
            item["configuration"],
            {
                name: read_steps(branch, f"{path}{index}.{name}.", f"{place}[{index}].branches.{name}")
                for name, branch in item.get("branches", {}).items()
            },
            f"{place}[{index}]",
            f"{path}{index}",
            item.get("on_error", STOP),
        )
        for index, item in enumerate(written)
    )


# --- the way through -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ways:
    """Where each active step leads: `following` when it is done, `entrances` into its branches.

    The empty id is the end. Steps that are switched off are passed over, branches and all. A branch of a
    repeating step leads back to it.
    """

    first: str
    following: dict[str, str]
    entrances: dict[str, dict[str, str]]


def ways(steps: tuple[Step, ...], repeating: Collection[str] = ()) -> Ways:
    """The way through a tree; `repeating` are the types of steps whose branches lead back to them."""
    following: dict[str, str] = {}
    entrances: dict[str, dict[str, str]] = {}

    def lay(line: tuple[Step, ...], after: str) -> str:
        ahead = after
        for step in reversed(line):
            if step.is_active:
                following[step.id] = ahead
                back = step.id if step.type in repeating else ahead
                entrances[step.id] = {name: lay(branch, back) for name, branch in step.branches.items()}
                ahead = step.id
        return ahead

    return Ways(lay(steps, ""), following, entrances)
