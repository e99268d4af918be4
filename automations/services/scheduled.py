"""Scheduled tasks: write them, and do those whose time has come."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import connection, transaction

from accounts import audit
from accounts.models import Organization
from automations import configuration, recurrence
from automations.configuration import Mistake
from automations.domain.tree import Problems
from automations.models import ScheduledStatus, ScheduledTask, ScheduledTry, ScheduleKind
from automations.services.kinds import KINDS
from common import claims, clock, doorbell, tenancy
from common.errors import AppError, Conflict, Invalid, NotFound, Transient

logger = logging.getLogger(__name__)

WORK = "scheduled_tasks"
FIELDS = frozenset(
    {
        "name",
        "task_type",
        "payload",
        "schedule_type",
        "run_at",
        "delay_seconds",
        "cron",
        "timezone",
        "priority",
        "most_retries",
        "is_active",
    }
)
WAITING = (ScheduledStatus.PENDING, ScheduledStatus.RETRY_SCHEDULED)
MOST_DELAY = timedelta(days=5 * 366)
MOST_RETRIES = 20
TRIES_KEPT = 200  # of each task
# Of what is due, what matters most goes first. Plan: index scheduled_tasks_waiting, then a sort of the due.
NEXT_SQL = """
SELECT id FROM automations_scheduledtask
 WHERE organization_id = %s AND status IN ('pending', 'retry_scheduled') AND is_active AND run_at <= %s
 ORDER BY priority DESC, run_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
"""


def schedule(values: Mapping[str, Any]) -> ScheduledTask:
    """A new scheduled task. Raises `Invalid` with places."""
    with transaction.atomic():
        task = ScheduledTask()
        _put(task, values, is_new=True)
        task.save()
        audit.created(task)
        doorbell.ring(WORK)
    return task


def reschedule(task: ScheduledTask, changes: Mapping[str, Any]) -> ScheduledTask:
    """Change a task that has its time still to come, or give a finished one a new time. Raises `Invalid`."""
    with transaction.atomic():
        held = ScheduledTask.objects.select_for_update().filter(pk=task.pk).first()
        if held is None:
            raise NotFound("There is no such scheduled task any more.")
        with audit.changing(held):
            _put(held, changes, is_new=False)
            held.save()
        doorbell.ring(WORK)
    return held


def retry(task: ScheduledTask) -> ScheduledTask:
    """Try a failed task again now; others are left alone."""
    with transaction.atomic():
        held = ScheduledTask.objects.select_for_update().get(pk=task.pk)
        if held.status == ScheduledStatus.FAILED:
            with audit.changing(held, "retry"):
                held.status, held.attempts, held.error = ScheduledStatus.PENDING, 0, ""
                held.run_at = clock.now()
                held.save()
            doorbell.ring(WORK)
    return held


def run_now(task: ScheduledTask) -> ScheduledTask:
    """Let a task have its turn at once, whatever its time; a recurring one goes on in its rhythm afterwards.

    Raises `Conflict` when it is switched off.
    """
    with transaction.atomic():
        held = ScheduledTask.objects.select_for_update().get(pk=task.pk)
        if not held.is_active:
            raise Conflict(f"“{held}” is switched off; switch it on first.", code="inactive")
        with audit.changing(held, "run_now"):
            held.status, held.attempts, held.error = ScheduledStatus.PENDING, 0, ""
            held.run_at = clock.now()
            held.save()
        doorbell.ring(WORK)
    return held


def unschedule(task: ScheduledTask) -> None:
    """Delete a scheduled task."""
    with transaction.atomic():
        audit.deleted(task)
        task.delete()


def _put(task: ScheduledTask, values: Mapping[str, Any], *, is_new: bool) -> None:
    """Put values on a task and check the whole."""
    problems = Problems()
    for name in sorted(values.keys() - FIELDS):
        problems.add(name, "a scheduled task has no such field")
    for name in FIELDS & values.keys() - {"delay_seconds"}:
        setattr(task, name, values[name])
    _check_plain(task, problems)
    _check_payload(task, problems)
    _set_time(task, values, problems, is_new=is_new)
    if problems:
        place, sentence = next(iter(problems.items()))
        raise Invalid(f"{place}: {sentence}", code="invalid_scheduled_task", details=dict(problems))


def _check_plain(task: ScheduledTask, problems: Problems) -> None:
    if not task.name.strip() or len(task.name) > 200:
        problems.add("name", "must be 1 to 200 characters")
    if task.schedule_type not in ScheduleKind.values:
        problems.add("schedule_type", f"must be one of {', '.join(ScheduleKind.values)}")
    if not -32_768 <= task.priority <= 32_767:
        problems.add("priority", "must be from -32,768 to 32,767")
    if not 0 <= task.most_retries <= MOST_RETRIES:
        problems.add("most_retries", f"must be from 0 to {MOST_RETRIES}")


def _check_payload(task: ScheduledTask, problems: Problems) -> None:
    kind = KINDS.get(task.task_type)
    if kind is None:
        problems.add("task_type", f'unknown task "{task.task_type}"; known: {", ".join(sorted(KINDS))}')
        return
    try:
        settings = configuration.read(kind.configuration, task.payload)
    except Mistake as mistake:
        problems.add(f"payload{mistake.place}", mistake.sentence)
        return
    kind.check(settings, partial(_wrong, problems))


def _wrong(problems: Problems, field: str, sentence: str) -> None:
    problems.add(f"payload.{field}" if field else "payload", sentence)


def _set_time(task: ScheduledTask, values: Mapping[str, Any], problems: Problems, *, is_new: bool) -> None:
    """When the task runs next; a new time makes a finished task wait again."""
    named = {"schedule_type", "run_at", "delay_seconds", "cron", "timezone"} & values.keys()
    if problems or not (named or is_new):
        return
    if task.schedule_type == ScheduleKind.RECURRING:
        try:
            task.run_at = recurrence_of(task).after(clock.now())
        except Invalid as error:
            problems |= error.details or {"cron": error.message}
            return
    elif task.schedule_type == ScheduleKind.DELAYED:
        delay = values.get("delay_seconds")
        if delay is None or not 0 <= delay <= MOST_DELAY.total_seconds():
            problems.add("delay_seconds", "say after how many seconds, from 0 to five years")
            return
        task.run_at = clock.now() + timedelta(seconds=delay)
    elif "run_at" not in values:
        problems.add("run_at", "say when, such as 2027-01-31T09:00:00Z")
        return
    task.status, task.attempts, task.error = ScheduledStatus.PENDING, 0, ""


def recurrence_of(task: ScheduledTask) -> recurrence.Recurrence:
    """The task's cron expression in its zone, or the organisation's. Raises `Invalid`."""
    zone = task.timezone or Organization.objects.get(pk=tenancy.required()).timezone
    return recurrence.parse(task.cron, zone)


# --- doing them ------------------------------------------------------------------------------------


def run(organization_id: int) -> int:
    """Do every due task of an organisation, what matters most first; returns how many were done or tried."""
    worked = 0
    with tenancy.organization(organization_id):
        while _do_next() is not None:
            worked += 1
    return worked


def process_due(most: int = 1000) -> list[ScheduledTask]:
    """Do due tasks of the current organisation here and now; returns them with their outcome."""
    done: list[ScheduledTask] = []
    while len(done) < most and (task := _do_next()) is not None:
        done.append(task)
    return done


def _do_next() -> ScheduledTask | None:
    """One task in one transaction: its effect, its outcome and its next time. None when nothing is due."""
    with transaction.atomic():
        now = clock.now()
        with tenancy.engine(), connection.cursor() as cursor:
            cursor.execute(NEXT_SQL, [tenancy.required(), now])
            row = cursor.fetchone()
        if row is None:
            return None
        task = ScheduledTask.objects.get(pk=row[0])
        task.last_run_at = now
        try:
            with transaction.atomic():
                task.result = _execute(task)
        except Exception as error:
            if connection.connection is None or connection.connection.closed:
                raise
            logger.error("Scheduled task %s failed", task.pk, exc_info=error)
            task.result = {}
            _keep_try(task, _failed(task, error, now), now)
        else:
            _keep_try(task, ScheduledStatus.COMPLETED, now)
            _succeeded(task, now)
        task.save()
    return task


def _keep_try(task: ScheduledTask, status: ScheduledStatus, now: datetime) -> None:
    """Write what came of a try; of a task that runs every minute only the last ones are kept."""
    failed = status != ScheduledStatus.COMPLETED
    error = task.error if failed else ""
    ScheduledTry.objects.create(task=task, tried_at=now, status=status, result=task.result, error=error)
    if task.turn_count % TRIES_KEPT == TRIES_KEPT - 1:
        first_kept = task.tries.order_by("-pk").values_list("pk", flat=True)[TRIES_KEPT - 1 : TRIES_KEPT].first()
        if first_kept is not None:
            task.tries.filter(pk__lt=first_kept).delete()


def _execute(task: ScheduledTask) -> dict[str, Any]:
    kind = KINDS.find(task.task_type)
    settings = configuration.read(kind.configuration, task.payload)
    return kind.execute(settings, f"scheduled:{task.pk}:{task.turn_count}")


def _succeeded(task: ScheduledTask, now: datetime) -> None:
    task.turn_count += 1
    task.attempts, task.error, task.completed_at = 0, "", now
    task.status = ScheduledStatus.COMPLETED
    _next_turn(task, now)


def _failed(task: ScheduledTask, error: Exception, now: datetime) -> ScheduledStatus:
    """Try again later, or give up this turn; a recurring task has its next turn all the same.

    Returns what came of the try.
    """
    task.attempts += 1
    task.error = error.message if isinstance(error, AppError) else f"{type(error).__name__}: {error}"[:2000]
    # A conflict is about the state of things, which may change; other refusals stay what they are.
    certain = isinstance(error, AppError) and not isinstance(error, Transient | Conflict)
    if not certain and task.attempts <= task.most_retries:
        task.status = ScheduledStatus.RETRY_SCHEDULED
        task.run_at = now + claims.backoff(task.attempts)
        return ScheduledStatus.RETRY_SCHEDULED
    task.turn_count += 1
    task.status = ScheduledStatus.FAILED
    _next_turn(task, now)
    return ScheduledStatus.FAILED


def _next_turn(task: ScheduledTask, now: datetime) -> None:
    """Turns that were missed while nobody worked are not made up for: the next one is in the future."""
    if task.schedule_type != ScheduleKind.RECURRING:
        return
    task.run_at = recurrence_of(task).after(now)
    task.status, task.attempts = ScheduledStatus.PENDING, 0
