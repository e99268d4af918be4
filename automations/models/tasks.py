"""Work and words for colleagues."""

from __future__ import annotations

from django.db import models

from accounts.models import Member
from audience.models import Contact, Priority
from automations.models.workflows import Automation
from common import clock
from common.tenancy import OrganizationScoped


class TaskStatus(models.TextChoices):
    OPEN = "open"
    DONE = "done"
    CANCELLED = "cancelled"


class Outcome(models.TextChoices):
    """What came of a task, as the colleague who did it says; workflows go on by it."""

    DONE = "done", "Done"
    REACHED = "reached", "Reached them"
    NO_ANSWER = "no_answer", "No answer"
    NOT_INTERESTED = "not_interested", "Not interested"


class Task(OrganizationScoped):
    """Work for a colleague about a contact."""

    contact = models.ForeignKey(Contact, null=True, blank=True, on_delete=models.CASCADE, related_name="tasks")
    title = models.CharField(max_length=300)
    description = models.TextField(blank=True, default="")
    task_type = models.CharField(max_length=60, default="follow_up")
    priority = models.CharField(max_length=10, choices=Priority, default=Priority.MEDIUM)
    due_date = models.DateField(null=True, blank=True)
    snoozed_until = models.DateField(null=True, blank=True, help_text="Out of sight until this day.")
    assignee = models.ForeignKey(Member, null=True, blank=True, on_delete=models.SET_NULL, related_name="tasks")
    status = models.CharField(max_length=10, choices=TaskStatus, default=TaskStatus.OPEN, db_default="open")
    outcome = models.CharField(max_length=20, choices=Outcome, blank=True, default="", db_default="")
    automation = models.ForeignKey(
        Automation, null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="tasks"
    )
    source_key = models.CharField(max_length=200, null=True, editable=False, help_text="automation:<run>:<step>")
    created_at = models.DateTimeField(default=clock.now, editable=False)
    done_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization_id", "source_key"], name="one_task_per_source")]
        indexes = [
            models.Index(fields=["organization_id", "assignee", "status", "due_date"], name="tasks_by_assignee"),
            models.Index(fields=["organization_id", "status", "due_date"], name="tasks_by_day"),
            models.Index(fields=["organization_id", "contact"], name="tasks_by_contact"),
        ]

    def __str__(self) -> str:
        return self.title


class TaskNote(OrganizationScoped):
    """What a colleague wrote beside a task."""

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="notes")
    author = models.CharField(max_length=200)
    text = models.TextField()
    created_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return self.text[:80]


class Notification(OrganizationScoped):
    """A word to a colleague, shown in the admin until they have read it."""

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="notifications")
    contact = models.ForeignKey(
        Contact, null=True, blank=True, on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    automation = models.ForeignKey(Automation, null=True, on_delete=models.SET_NULL, related_name="+")
    message = models.TextField()
    source_key = models.CharField(max_length=200, null=True, editable=False)
    created_at = models.DateTimeField(default=clock.now)
    read_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization_id", "source_key"], name="one_notification_per_source")
        ]
        indexes = [
            models.Index(fields=["organization_id", "member", "-id"], name="notifications_by_member"),
            models.Index(fields=["organization_id", "contact"], name="notifications_by_contact"),
        ]

    def __str__(self) -> str:
        return self.message[:80]
