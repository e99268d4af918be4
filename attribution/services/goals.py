"""Goals: what counts as a conversion, and the events of before a goal existed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import IntegrityError, transaction

from accounts import audit
from attribution.domain import goals as rules
from attribution.models import Conversion, Goal, Refund
from attribution.services import conversions
from attribution.services.writing import writing
from audience.domain import event_names
from audience.models import EventDefinition
from common import clock, doorbell
from common.errors import Conflict, Invalid
from common.models import WorkStatus

DEFAULT_NAME = "Purchase"
DEFAULT_EVENT = "order_completed"
DEFAULT_REFUND_EVENT = "order_refunded"


def ensure_default_goals() -> Sequence[Goal]:
    """The active goals; an organisation without any goal gets "Purchase" on `order_completed`."""
    found = list(Goal.objects.all())
    if not found:
        _, is_new = Goal.objects.get_or_create(
            name=DEFAULT_NAME,
            defaults={
                "event_name": DEFAULT_EVENT,
                "refund_event_name": DEFAULT_REFUND_EVENT,
                "counts_as_revenue": True,
            },
        )
        found = list(Goal.objects.all())
        if is_new:
            audit.created(found[0])
            doorbell.ring("credits")
    return [goal for goal in found if goal.is_active]


def save_goal(goal: Goal) -> Goal:
    """Store a new or changed goal. Its conversions are counted (again) from all events by the next work.

    Raises `Invalid` naming the field, `Conflict` when the name is taken.
    """
    _check(goal)
    goal.is_scanned = False
    try:
        with writing(), transaction.atomic():
            _store(goal)
    except IntegrityError as error:
        raise Conflict(f'There is already a goal called "{goal.name}".', details={"name": "Is taken."}) from error
    doorbell.ring("credits")
    return goal


def delete_goal(goal: Goal) -> None:
    """Delete a goal with its conversions and credits; raises `Conflict` for the last one."""
    if not Goal.objects.exclude(pk=goal.pk).exists():
        raise Conflict("This is the only goal. Switch it off instead of deleting it.", code="last_goal")
    with writing():
        audit.deleted(goal)
        goal.delete()


def scan_due() -> int:
    """Count the past of goals that do not know it yet: one set statement each. Returns the number of goals."""
    scanned = 0
    for goal in Goal.objects.filter(is_active=True, is_scanned=False).order_by("pk"):
        with writing():
            names = dict(EventDefinition.objects.values_list("pk", "name"))
            conversions.record([goal], names, None)
            Goal.objects.filter(pk=goal.pk).update(is_scanned=True)
        scanned += 1
    return scanned


def _check(goal: Goal) -> None:
    wrong: dict[str, Any] = {}
    goal.name, goal.event_name = goal.name.strip(), goal.event_name.strip()
    goal.refund_event_name = goal.refund_event_name.strip()
    if not goal.name:
        wrong["name"] = "Give the goal a name."
    if not goal.event_name:
        wrong["event_name"] = "Name the event that counts, for example order_completed."
    if goal.refund_event_name and event_names.key(goal.refund_event_name) == event_names.key(goal.event_name):
        wrong["refund_event_name"] = "Must be another event than the one that counts."
    if not 1 <= goal.look_back_days <= rules.LONGEST_LOOK_BACK:
        wrong["look_back_days"] = f"Between 1 and {rules.LONGEST_LOOK_BACK} days."
    if wrong:
        raise Invalid("The goal is not complete.", details=wrong)
    rules.parse_where(goal.where)


def _store(goal: Goal) -> None:
    if goal.pk is None:
        goal.save()
        audit.created(goal)
        return
    before = Goal.objects.get(pk=goal.pk)
    with audit.changing(goal):
        goal.save()
    meaning = ("event_name", "where", "refund_event_name")
    if any(getattr(before, field) != getattr(goal, field) for field in meaning):
        Conversion.objects.filter(goal=goal).delete()
        Refund.objects.filter(goal=goal).delete()
    elif before.look_back_days != goal.look_back_days:
        Conversion.objects.filter(goal=goal).update(status=WorkStatus.PENDING, run_at=clock.now())
