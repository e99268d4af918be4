"""Work set for later."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q

from common import clock
from common.tenancy import OrganizationScoped


class ScheduleKind(models.TextChoices):
    ONCE = "once", "Once, at a time"
    DELAYED = "delayed", "Once, after a delay"
    RECURRING = "recurring", "Again and again"


class ScheduledStatus(models.TextChoices):
    PENDING = "pending"
    COMPLETED = "completed"
    FAILED = "failed"
    RETRY_SCHEDULED = "retry_scheduled"


class ScheduledTask(OrganizationScoped):
    """Something to do at a time: once, after a delay, or again and again."""

    name = models.CharField(max_length=200)
    task_type = models.CharField(max_length=40, help_text="What to do; automations/services/kinds lists them.")
    payload: models.JSONField[Any, Any] = models.JSONField(default=dict, blank=True)
    schedule_type = models.CharField(max_length=10, choices=ScheduleKind, default=ScheduleKind.ONCE)
    cron = models.CharField(max_length=100, blank=True, default="", help_text='For recurring: "0 9 * * mon".')
    timezone = models.CharField(max_length=64, blank=True, default="", help_text="Empty: the organisation's.")
    priority = models.SmallIntegerField(default=0, help_text="Higher goes first among those that are due.")
    status = models.CharField(max_length=20, choices=ScheduledStatus, default=ScheduledStatus.PENDING)
    is_active = models.BooleanField(default=True)
    run_at = models.DateTimeField(default=clock.now)
    attempts = models.PositiveSmallIntegerField(default=0, editable=False, help_text="Failed tries of this turn.")
    most_retries = models.PositiveSmallIntegerField(default=3)
    turn_count = models.PositiveIntegerField(default=0, editable=False, help_text="Turns finished so far.")
    result: models.JSONField[Any, Any] = models.JSONField(default=dict, blank=True, editable=False)
    error = models.TextField(blank=True, default="", editable=False)
    last_run_at = models.DateTimeField(null=True, blank=True, editable=False)
    completed_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        indexes = [
            models.Index(
                fields=["organization_id", "run_at"],
                condition=Q(status__in=["pending", "retry_scheduled"], is_active=True),
                name="scheduled_tasks_waiting",
            )
        ]

    def __str__(self) -> str:
        return self.name


class ScheduledTry(OrganizationScoped):
    """One try of a scheduled task, written in the transaction that did it."""

    task = models.ForeignKey(ScheduledTask, on_delete=models.CASCADE, related_name="tries")
    tried_at = models.DateTimeField(default=clock.now)
    status = models.CharField(max_length=20, choices=ScheduledStatus)
    result: models.JSONField[Any, Any] = models.JSONField(default=dict, db_default={})
    error = models.TextField(blank=True, default="", db_default="")

    class Meta:
        indexes = [models.Index(fields=["task", "-id"], name="tries_by_task")]

    def __str__(self) -> str:
        return f"{self.status} at {self.tried_at:%Y-%m-%d %H:%M:%S}"
