"""Publishing: a draft, a flow that was sent, or an older version becomes the one that new people enter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from accounts import audit
from automations.domain.tree import Step
from automations.models import Automation, AutomationVersion
from automations.selectors.counts import inside
from automations.selectors.differences import differences
from automations.selectors.places import Place, places
from automations.services import migration, publishing
from automations.services.automations import FLOW_FIELDS, flow_of, lock
from automations.services.migration import Mode, Moved, Targets
from automations.workflows import prepare
from common import clock
from common.errors import Conflict, Invalid
from segments import services as segments


@dataclass(frozen=True)
class Preview:
    """What publishing would do: the number it would get, what it changes in words, and who stands where."""

    number: int
    is_new: bool
    differences: list[str]
    places: list[Place]
    steps: dict[str, Step]  # the active ones, which people can go on from

    @property
    def people(self) -> int:
        return sum(place.people for place in self.places)

    @property
    def unsettled(self) -> list[Place]:
        """Steps that hold people and are not in the new version."""
        return [place for place in self.places if not place.is_settled]


@dataclass(frozen=True)
class Published:
    version: AutomationVersion
    moved: int
    left: int
    withdrawn: int


def publish(
    automation: Automation,
    *,
    mode: str = Mode.KEEP,
    mapping: Targets | None = None,
    flow: Mapping[str, Any] | None = None,
    number: int | None = None,
) -> AutomationVersion:
    """As `release`, for who wants the version only."""
    return release(automation, mode=mode, mapping=mapping, flow=flow, number=number).version


def release(
    automation: Automation,
    *,
    mode: str = Mode.KEEP,
    mapping: Targets | None = None,
    flow: Mapping[str, Any] | None = None,
    number: int | None = None,
) -> Published:
    """Publish `flow` (in the API's words), version `number` once more, or the draft; and settle who is inside.

    New people enter it from now on. Of those inside, `mode` says: keep, migrate (by `mapping`: step id → step id of
    the new version or None to leave; a step that is not named keeps its id), drain, or exit. Raises `Invalid` with
    places, `Conflict` when there is nothing to publish; then nothing is written.
    """
    chosen = _mode(mode)
    with transaction.atomic():
        held = lock(automation.pk)
        with audit.changing(held):
            version = _write(held, flow, number)
            held.updated_at = clock.now()
            held.save()
        moved = migration.settle(held, version, chosen, mapping or {})
        _record(held, version, chosen, moved)
    return Published(version, moved.moved, moved.left, moved.withdrawn)


def preview(automation: Automation, *, flow: Mapping[str, Any] | None = None, number: int | None = None) -> Preview:
    """What `release` would write and whom it would find inside; nothing stays written. Raises as it does."""
    with transaction.atomic():
        held = lock(automation.pk)
        current = held.current_version
        version = _write(held, flow, number)
        is_new = current is None or version.pk != current.pk
        told = differences(current.document, version.document) if current and is_new else []
        found, workflow = places(held, version), prepare(version)
        transaction.set_rollback(True)
    active = {step_id: step for step_id, step in workflow.steps.items() if step_id in workflow.ways.following}
    return Preview(version.number, is_new, told, found, active)


def _write(held: Automation, flow: Mapping[str, Any] | None, number: int | None) -> AutomationVersion:
    segments.lock_references()
    version = publishing.write_version(held, publishing.check(flow_of(held, _wanted(held, flow, number))))
    if flow is None and number is None:
        held.draft = None
    return version


def _wanted(held: Automation, flow: Mapping[str, Any] | None, number: int | None) -> Mapping[str, Any]:
    if flow is not None and number is not None:
        raise Invalid("Say either a flow or the number of a version.", details={"version": "stands beside a flow"})
    if flow is not None:
        return flow
    if number is None:
        if held.draft is None:
            raise Conflict("There is no draft to publish; everything is published already.", code="no_draft")
        return {name: value for name, value in held.draft.items() if name in FLOW_FIELDS}
    older = held.versions.filter(number=number).first()
    if older is None:
        raise Invalid(f"There is no version {number}.", details={"version": f"there is no version {number}"})
    trigger = older.document["trigger"]
    return {
        "trigger_type": trigger["type"],
        "trigger_configuration": trigger["configuration"],
        **publishing.spelled(older),
    }


def _mode(name: str) -> Mode:
    if name not in set(map(str, Mode)):
        known = ", ".join(Mode)
        raise Invalid(f'Unknown mode "{name}".', details={"mode": f"must be one of {known}"})
    return Mode(name)


def _record(held: Automation, version: AutomationVersion, mode: Mode, moved: Moved) -> None:
    after = {"version": version.number, "mode": str(mode), "moved": moved.moved, "left": moved.left}
    if mode not in (Mode.MIGRATE, Mode.EXIT):
        after["stayed"] = _older(held, version)
    if moved.withdrawn:
        after["withdrawn"] = moved.withdrawn
    audit.record("publish", held, after=after)


def _older(held: Automation, version: AutomationVersion) -> int:
    return sum(one.people for one in inside(held) if one.version_id != version.pk)
