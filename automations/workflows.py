"""Versions ready to run. A version never changes, so each process keeps those it used lately."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from automations import configuration
from automations.domain import tree
from automations.domain.tree import Step, Ways
from automations.models import AutomationVersion
from automations.steps.base import StepKind
from common.errors import Permanent

logger = logging.getLogger(__name__)

MOST_KEPT = 2000


@dataclass(frozen=True)
class Workflow:
    """One version: its steps by id and the way through them."""

    version_id: int
    automation_id: int
    steps: Mapping[str, Step]
    ways: Ways


_kept: dict[int, Workflow] = {}


def load(version_ids: Collection[int]) -> dict[int, Workflow]:
    """The workflows of those versions that exist and can be read; one query for all that are not at hand."""
    found = {version_id: _kept[version_id] for version_id in version_ids if version_id in _kept}
    missing = [version_id for version_id in version_ids if version_id not in found]
    if missing:
        if len(_kept) + len(missing) > MOST_KEPT:
            _kept.clear()
        fresh = {row.pk: ready for row in AutomationVersion.objects.filter(pk__in=missing) if (ready := _read(row))}
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
    """Read a version's document."""
    steps = tree.read_steps(version.document["steps"])
    by_id = {step.id: step for step in tree.walk(steps)}
    return Workflow(version.pk, version.automation_id, by_id, tree.ways(steps))


def configuration_of(kind: StepKind[Any], step: Step) -> Any:
    """The step's configuration as its kind reads it; raises `Permanent` when the kind has changed since."""
    try:
        return configuration.read(kind.configuration, step.configuration)
    except configuration.Mistake as mistake:
        raise Permanent(f"The configuration of {step.id} does not fit any more: {mistake.message}") from mistake
