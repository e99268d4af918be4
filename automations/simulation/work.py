"""Simulations as background work: asked for, replayed by a worker with a bar that moves, kept as rows."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import fields
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q

from accounts import actor
from automations.models import Automation, AutomationVersion, Simulation, SimulationStatus
from automations.models.simulations import MOST_DAYS
from automations.services import publishing
from automations.services.publishing import Draft
from automations.simulation import flow as flows
from automations.simulation.candidates import Unreplayable
from automations.simulation.replay import replay
from common import clock, doorbell, tenancy
from common.errors import AppError, Conflict, Invalid

logger = logging.getLogger(__name__)

WORK = "simulations"
DAYS = 30
MOST_KEPT = 20  # of one workflow
LEASE = timedelta(minutes=15)
DRAFT, PUBLISHED = "draft", "published"
EMPTY: dict[str, Any] = {"trigger_type": "", "trigger_configuration": {}, "entry_rule": "once", "actions": []}


class Stopped(Exception):
    """Somebody cancelled it, or another worker has taken it over."""


def request(
    automation: Automation, *, days: int = DAYS, what: str = "", flow: Mapping[str, Any] | None = None
) -> Simulation:
    """Have the last `days` replayed in the background; returns the row to look at.

    `what` is "draft", "published" or a version's number; empty: the draft if there is one. `flow` are fields of a
    workflow that was saved nowhere. What would be refused when it is published is refused here with the same
    places; nothing is published by this.
    """
    check_days(days)
    document, version = document_of(automation, what, flow)
    flows.read(document, automation)
    until = clock.now()
    with transaction.atomic():
        row = Simulation.objects.create(
            automation=automation,
            version=version,
            document=document,
            days=days,
            since=until - timedelta(days=days),
            until=until,
            author=actor.current().name,
        )
        kept = Simulation.objects.filter(automation=automation).order_by("-pk")[:MOST_KEPT]
        Simulation.objects.filter(automation=automation).exclude(pk__in=[each.pk for each in kept]).delete()
        doorbell.ring(WORK)
    return row


def check_days(days: int) -> None:
    """Raises `Invalid`."""
    if not 1 <= days <= MOST_DAYS:
        raise Invalid(f"days: must be from 1 to {MOST_DAYS}", details={"days": f"must be from 1 to {MOST_DAYS}"})


def document_of(
    automation: Automation, what: str = "", flow: Mapping[str, Any] | None = None
) -> tuple[dict[str, Any], AutomationVersion | None]:
    """The document to be replayed, and its version when it was published. Raises `Invalid` with every problem."""
    if flow is not None:
        return checked_document(flow), None
    if what == DRAFT or (not what and automation.draft is not None):
        if automation.draft is None:
            raise Conflict(f"“{automation}” has no draft; simulate what is published.", code="no_draft")
        return checked_document(automation.draft), None
    version = _version(automation, what)
    return version.document, version


def _version(automation: Automation, what: str) -> AutomationVersion:
    if what in ("", PUBLISHED):
        if automation.current_version is None:
            raise Conflict(f"“{automation}” was never published; simulate its draft.", code="never_published")
        return automation.current_version
    found = automation.versions.filter(number=int(what)).first() if what.isdigit() and len(what) < 9 else None
    if found is None:
        known = "must be draft, published or the number of a version"
        raise Invalid(f"what: {known}", details={"what": known})
    return found


def checked_document(flow: Mapping[str, Any]) -> dict[str, Any]:
    """A flow in the API's words as a document. Everything that publishing would do is tried and taken back."""
    known = {field.name for field in fields(Draft)}
    with transaction.atomic():
        try:
            draft = Draft(**{**EMPTY, **{name: value for name, value in flow.items() if name in known}})
            return publishing.check(draft).document
        finally:
            transaction.set_rollback(True)


def cancel(simulation: Simulation) -> bool:
    """Stop it; False when it was over already."""
    rows = Simulation.objects.filter(pk=simulation.pk, status__in=["pending", "running"])
    return bool(rows.update(status=SimulationStatus.CANCELLED, finished_at=clock.now()))


def latest(automation: Automation) -> Simulation | None:
    """The youngest that is done."""
    rows = Simulation.objects.filter(automation=automation, status=SimulationStatus.DONE)
    return rows.select_related("version").order_by("-pk").first()


def organizations_due() -> list[int]:
    return doorbell.organizations_with(
        "automations_simulation", "status IN ('pending', 'running') AND run_at <= %s", [clock.now()]
    )


def run(organization_id: int) -> int:
    """WORK `simulations`: replay whatever was asked for; returns how many."""
    worked = 0
    with tenancy.organization(organization_id):
        while (row := _claim()) is not None:
            _try(row)
            worked += 1
    return worked


def _claim() -> Simulation | None:
    """The oldest that waits, or whose worker died. Its `run_at` is the lease and its fence."""
    with transaction.atomic():
        due = Q(status__in=["pending", "running"], run_at__lte=clock.now())
        row = Simulation.objects.select_for_update(skip_locked=True).filter(due).order_by("run_at", "pk").first()
        if row is not None:
            row.status, row.run_at = SimulationStatus.RUNNING, clock.now() + LEASE
            row.save(update_fields=["status", "run_at"])
    return row


def _try(row: Simulation) -> None:
    def told(done: int, whole: int) -> None:
        if not _held(row).update(done_count=done, whole_count=whole):
            raise Stopped

    try:
        found = replay(flows.read(row.document, row.automation), row.since, row.until, told)
    except Stopped:
        return
    except Unreplayable as reason:
        _finish(row, SimulationStatus.FAILED, error=reason.sentence)
    except AppError as error:
        _finish(row, SimulationStatus.FAILED, error=error.message)
    else:
        _finish(row, SimulationStatus.DONE, result=found, whole_count=found["heard"], done_count=found["heard"])


def _held(row: Simulation) -> Any:
    return Simulation.objects.filter(pk=row.pk, status=SimulationStatus.RUNNING, run_at=row.run_at)


def _finish(row: Simulation, status: SimulationStatus, **values: Any) -> None:
    _held(row).update(status=status, finished_at=clock.now(), run_at=F("run_at"), **values)
