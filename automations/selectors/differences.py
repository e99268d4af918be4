"""Two versions of a workflow compared, in words."""

from __future__ import annotations

from typing import Any

from automations.domain import tree
from automations.domain.tree import Step
from automations.selectors.reports import flow_sentences, step_sentence


def differences(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """What another document changes, a sentence each; empty when nothing does."""
    before, after = _steps(old), _steps(new)
    told = _of_flow(old, new)
    told += [f"New: {step_sentence(step)}" for step_id, step in after.items() if step_id not in before]
    told += [f"Gone: {step_sentence(step)}" for step_id, step in before.items() if step_id not in after]
    for step_id, step in after.items():
        if step_id in before:
            told += _of_step(before[step_id], step)
    told += _of_places(list(before.values()), list(after.values()))
    return told


def _steps(document: dict[str, Any]) -> dict[str, Step]:
    return {step.id: step for step in tree.walk(tree.read_steps(document["steps"]))}


def _of_flow(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    before, after = flow_sentences(old), flow_sentences(new)
    return [f"No more: {line}" for line in before if line not in after] + [
        f"Now: {line}" for line in after if line not in before
    ]


def _of_step(before: Step, after: Step) -> list[str]:
    told = []
    if before.type != after.type or before.configuration != after.configuration:
        was, becomes = step_sentence(before), step_sentence(after)
        told.append(f"Changed: “{was}” becomes “{becomes}”" if was != becomes else f"Changed in detail: {becomes}")
    if before.is_active != after.is_active:
        told.append(f"{'Switched on' if after.is_active else 'Switched off'}: {step_sentence(after)}")
    if before.on_error != after.on_error:
        told.append(f"When it fails, otherwise than before: {step_sentence(after)}")
    return told


def _of_places(before: list[Step], after: list[Step]) -> list[str]:
    """Steps that both have, met in another order or in another branch."""
    places, kept = {step.id: _branch(step) for step in before}, {step.id for step in before}
    shared = {step.id for step in after} & kept
    old_order = [step.id for step in before if step.id in shared]
    told = []
    for step in after:
        if step.id not in shared:
            continue
        if places[step.id] != _branch(step) or (old_order and old_order[0] != step.id):
            told.append(f"Moved: {step_sentence(step)}")
        old_order.remove(step.id)
    return told


def _branch(step: Step) -> str:
    """The path without the last position and without the positions of the branching steps above."""
    return ".".join(part for part in step.path.split(".")[:-1] if not part.isdecimal())
