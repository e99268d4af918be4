"""Tasks of colleagues: written by hand, by the API or by a step, and worked off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from django.db import transaction

from accounts import actor, audit
from accounts.models import Member
from audience import services as audience
from audience.models import Contact, Priority
from automations import days
from automations.models import Notification, Outcome, Task, TaskNote, TaskStatus
from common import clock
from common.errors import Conflict, Invalid, NotFound

FIELDS = frozenset(
    {
        "contact_id", "title", "description", "task_type", "priority", "due_date", "snoozed_until", "assignee_id",
        "status", "outcome",
    }
)  # fmt: skip
# What a workflow hears when a task is done.
COMPLETED = "task_completed"
LONGEST_NOTE = 5_000
MOST_DAYS_AWAY = 366


def create_task(values: Mapping[str, Any]) -> Task:
    """A new task. Raises `Invalid` by field."""
    with transaction.atomic():
        task = Task()
        _put(task, values)
        task.save()
        audit.created(task)
        if task.status == TaskStatus.DONE:
            _tell(task)
    return task


def update_task(task: Task, changes: Mapping[str, Any]) -> Task:
    """Change a task. Done is remembered with its moment, and told to workflows as an event of the contact.

    Raises `Invalid` by field.
    """
    with transaction.atomic():
        held = _lock(task)
        was_done = held.status == TaskStatus.DONE
        with audit.changing(held):
            _put(held, changes)
            held.save()
        if held.status == TaskStatus.DONE and not was_done:
            _tell(held)
    return held


def finish(task: Task, outcome: str = Outcome.DONE, note: str = "") -> Task:
    """Mark an open task as done and say what came of it. One that somebody else has done meanwhile stays as it is:
    raises `Conflict`."""
    with transaction.atomic():
        held = _lock(task)
        _is_open(held)
        if note.strip():
            add_note(held, note)
        return update_task(held, {"status": TaskStatus.DONE, "outcome": outcome})


def reopen(task: Task) -> Task:
    """Take back that a task is done or cancelled."""
    return update_task(task, {"status": TaskStatus.OPEN})


def snooze(task: Task, until: date) -> Task:
    """Put an open task out of sight until a day after today. Raises `Invalid`, or `Conflict` when it is not open."""
    today = days.today()
    if not today < until <= today + timedelta(days=MOST_DAYS_AWAY):
        sentence = f"must be a day after today and within a year, such as {today + timedelta(days=1)}"
        raise Invalid(f"until: {sentence}", details={"until": sentence})
    with transaction.atomic():
        held = _lock(task)
        _is_open(held)
        return update_task(held, {"snoozed_until": until})


def reassign(task: Task, assignee_id: int | None) -> Task:
    """Hand an open task to a colleague, or back to nobody. It is in sight at once for whoever gets it."""
    with transaction.atomic():
        held = _lock(task)
        _is_open(held)
        return update_task(held, {"assignee_id": assignee_id, "snoozed_until": None})


def add_note(task: Task, text: str) -> TaskNote:
    """Write a word beside a task. Raises `Invalid` when it is empty or too long."""
    if not text.strip() or len(text) > LONGEST_NOTE or "\0" in text:
        sentence = f"must be 1 to {LONGEST_NOTE:,} characters that can be written"
        raise Invalid(f"text: {sentence}", details={"text": sentence})
    with transaction.atomic():
        note = TaskNote.objects.create(task=task, author=actor.current().name[:200], text=text.strip())
        audit.created(note)
    return note


def delete_task(task: Task) -> None:
    """Delete a task."""
    with transaction.atomic():
        audit.deleted(task)
        task.delete()


def _lock(task: Task) -> Task:
    held = Task.objects.select_for_update(of=("self",)).filter(pk=task.pk).first()
    if held is None:
        raise NotFound("There is no such task any more.")
    return held


def _is_open(task: Task) -> None:
    if task.status != TaskStatus.OPEN:
        raise Conflict(f"“{task}” is {task.get_status_display().lower()} already; open it again first.")


def _put(task: Task, values: Mapping[str, Any]) -> None:
    wrong = dict.fromkeys(sorted(values.keys() - FIELDS), "a task has no such field")
    for name in FIELDS & values.keys():
        setattr(task, name, values[name])
    wrong |= _faults(task)
    if wrong:
        place, sentence = next(iter(wrong.items()))
        raise Invalid(f"{place}: {sentence}", details=wrong)
    if task.status != TaskStatus.DONE:
        task.done_at, task.outcome = None, ""
    else:
        task.done_at, task.outcome = task.done_at or clock.now(), task.outcome or Outcome.DONE
    if task.status != TaskStatus.OPEN:
        task.snoozed_until = None


def _faults(task: Task) -> dict[str, str]:
    wrong = {}
    if not task.title.strip() or len(task.title) > 300:
        wrong["title"] = "must be 1 to 300 characters"
    if not task.task_type.strip() or len(task.task_type) > 60:
        wrong["task_type"] = "must be 1 to 60 characters"
    if task.priority not in Priority.values:
        wrong["priority"] = f"must be one of {', '.join(Priority.values)}"
    if task.status not in TaskStatus.values:
        wrong["status"] = f"must be one of {', '.join(TaskStatus.values)}"
    if task.outcome not in ("", *Outcome.values):
        wrong["outcome"] = f"must be one of {', '.join(Outcome.values)}"
    if task.contact_id is not None and not Contact.objects.filter(pk=task.contact_id).exists():
        wrong["contact_id"] = f"there is no contact {task.contact_id}"
    if task.assignee_id is not None and not _has_seat(task):
        wrong["assignee_id"] = f"there is no active member {task.assignee_id}"
    return wrong


def _has_seat(task: Task) -> bool:
    """Somebody who has left since may keep their task until it is done or handed on."""
    if task.pk and Task.objects.filter(pk=task.pk, assignee_id=task.assignee_id).exists():
        return True
    return Member.objects.filter(pk=task.assignee_id or 0, is_active=True).exists()


def _tell(task: Task) -> None:
    """Tell that a task is done: an event of its contact, which workflows and segments hear like any other."""
    if task.contact_id is None or task.done_at is None:
        return
    properties = {
        "task_id": task.pk,
        "task_type": task.task_type,
        "title": task.title,
        "outcome": task.outcome,
        "automation_id": task.automation_id,
        "assignee_id": task.assignee_id,
    }
    audience.record(
        [
            audience.InternalEvent(
                task.contact_id, COMPLETED, task.done_at, f"task:{task.pk}:{task.done_at.isoformat()}", properties
            )
        ]
    )


def read_notifications(notification_ids: Sequence[int]) -> int:
    """Mark these as read; returns how many were new."""
    return Notification.objects.filter(pk__in=notification_ids, read_at=None).update(read_at=clock.now())
