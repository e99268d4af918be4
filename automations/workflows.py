"""Versions ready to run. A version never changes, so each process keeps those it used lately."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from automations import configuration
from automations.domain import tree
from automations.domain.tree import Step, Ways
from automations.models import AutomationVersion, ExitReason
from automations.steps import STEPS
from automations.steps.base import StepKind
from common.errors import Permanent

logger = logging.getLogger(__name__)

MOST_KEPT = 2000
NOTHING = "{}"
REPEATING = frozenset(name for name, kind in STEPS.items() if kind.repeats)
ENDINGS = {"goal": ExitReason.GOAL, "exit": ExitReason.EXIT_RULE}


@dataclass(frozen=True)
class Workflow:
    """One version: its steps by id, the way through them, the rules that end it, and what wakes people in it."""

    version_id: int
    automation_id: int
    steps: Mapping[str, Step]
    ways: Ways
    # Under their exit reason.
    endings: Mapping[ExitReason, dict[str, Any]] = field(default_factory=dict)
    # Step id → array literal of keys, for AutomationRun.wakes_on; "" holds those of the endings, for every step.
    wakes: Mapping[str, str] = field(default_factory=dict)

    def wakes_on(self, step_id: str) -> str:
        """What ends a wait on this step early, as an array literal."""
        return self.wakes.get(step_id) or self.wakes.get("", NOTHING)

    def repeats(self, step_id: str) -> bool:
        """Whether the branches of this step lead back to it."""
        return step_id in self.steps and self.steps[step_id].type in REPEATING

    def asks_again(self, step_id: str) -> bool:
        """Whether this step wants to be asked before its wait is over."""
        kind = STEPS.get(self.steps[step_id].type) if step_id in self.steps else None
        return kind is None or kind.wakes is not None


_kept: dict[int, Workflow] = {}


def load(version_ids: Collection[int]) -> dict[int, Workflow]:
    """The workflows of those versions that exist and can be read; one query for all that are not at hand."""
    found = {version_id: _kept[version_id] for version_id in version_ids if version_id in _kept}
    missing = [version_id for version_id in version_ids if version_id not in found]
    if missing:
        if len(_kept) + len(missing) > MOST_KEPT:
            _kept.clear()
        rows = AutomationVersion.objects.filter(pk__in=missing).prefetch_related("watches")
        fresh = {row.pk: ready for row in rows if (ready := _read(row))}
        _kept.update(fresh)
        found |= fresh
    return found


def _read(version: AutomationVersion) -> Workflow | None:
    """A document that cannot be read must stop its own runs only, not everybody's."""
    try:
        return prepare(version)
    except (KeyError, TypeError, AttributeError) as error:
        logger.error("Version %s cannot be read", version.pk, exc_info=error)
        return None


def prepare(version: AutomationVersion) -> Workflow:
    """Read a version's document, and what it watches."""
    document = version.document
    steps = tree.read_steps(document["steps"])
    by_id = {step.id: step for step in tree.walk(steps)}
    watched = [(watch.step_id, watch.key) for watch in version.watches.all()] if version.pk else []
    return Workflow(
        version.pk,
        version.automation_id,
        by_id,
        tree.ways(steps, REPEATING),
        {reason: document[name] for name, reason in ENDINGS.items() if document.get(name) is not None},
        _wakes(watched),
    )


def _wakes(watched: Iterable[tuple[str, str]]) -> dict[str, str]:
    keys: dict[str, set[str]] = defaultdict(set)
    for step_id, key in watched:
        keys[step_id].add(key)
    return {step_id: _literal(keys[step_id] | keys.get("", set())) for step_id in list(keys)}


def _literal(keys: Iterable[str]) -> str:
    """An array literal of PostgreSQL."""
    quoted = (key.replace("\\", "\\\\").replace('"', '\\"') for key in sorted(keys))
    return "{" + ",".join(f'"{key}"' for key in quoted) + "}"


def configuration_of(kind: StepKind[Any], step: Step) -> Any:
    """The step's configuration as its kind reads it; raises `Permanent` when the kind has changed since."""
    try:
        return configuration.read(kind.configuration, step.configuration)
    except configuration.Mistake as mistake:
        raise Permanent(f"The configuration of {step.id} does not fit any more: {mistake.message}") from mistake
