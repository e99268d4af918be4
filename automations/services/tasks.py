"""Tasks of colleagues: written by hand, by the API or by a step, and worked off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from accounts import audit
from accounts.models import Member
from audience.models import Contact, Priority
from automations.models import Notification, Task, TaskStatus
from common import clock
from common.errors import Invalid, NotFound

FIELDS = frozenset(
    {"contact_id", "title", "description", "task_type", "priority", "due_date", "assignee_id", "status"}
)


def create_task(values: Mapping[str, Any]) -> Task:
    """A new task. Raises `Invalid` by field."""
    with transaction.atomic():
        task = Task()
        _put(task, values)
        task.save()
        audit.created(task)
    return task


def update_task(task: Task, changes: Mapping[str, Any]) -> Task:
    """Change a task; done is remembered with its moment. Raises `Invalid` by field."""
    with transaction.atomic():
        held = Task.objects.select_for_update(of=("self",)).filter(pk=task.pk).first()
        if held is None:
            raise NotFound("There is no such task any more.")
        with audit.changing(held):
            _put(held, changes)
            held.save()
    return held


def finish(task: Task) -> Task:
    """Mark a task as done."""
    return update_task(task, {"status": TaskStatus.DONE})


def delete_task(task: Task) -> None:
    """Delete a task."""
    with transaction.atomic():
        audit.deleted(task)
        task.delete()


def _put(task: Task, values: Mapping[str, Any]) -> None:
    wrong = dict.fromkeys(sorted(values.keys() - FIELDS), "a task has no such field")
    for name in FIELDS & values.keys():
        setattr(task, name, values[name])
    wrong |= _faults(task)
    if wrong:
        place, sentence = next(iter(wrong.items()))
        raise Invalid(f"{place}: {sentence}", details=wrong)
    if task.status != TaskStatus.DONE:
        task.done_at = None
    elif task.done_at is None:
        task.done_at = clock.now()


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
    if task.contact_id is not None and not Contact.objects.filter(pk=task.contact_id).exists():
        wrong["contact_id"] = f"there is no contact {task.contact_id}"
    if task.assignee_id is not None and not _has_seat(task.assignee_id):
        wrong["assignee_id"] = f"there is no active member {task.assignee_id}"
    return wrong


def _has_seat(member_id: int) -> bool:
    return Member.objects.filter(pk=member_id, is_active=True).exists()


def read_notifications(notification_ids: Sequence[int]) -> int:
    """Mark these as read; returns how many were new."""
    return Notification.objects.filter(pk__in=notification_ids, read_at=None).update(read_at=clock.now())
