"""Workflows, the people inside them, work set for later, and work for colleagues."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from accounts.models import Member
from audience.models import Contact, Priority
from common import clock
from common.tenancy import OrganizationScoped
from delivery.models import Weight


class EntryRule(models.TextChoices):
    ONCE = "once", "Once ever"
    AGAIN = "again", "Again after they have left"


class Automation(OrganizationScoped):
    """A workflow. What it does stands in its versions; this row says which one new people enter."""

    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=100)
    description = models.TextField(blank=True, default="")
    is_active = models.BooleanField(default=False, help_text="Off: nobody enters, and those inside are held.")
    run_immediately = models.BooleanField(
        default=True, help_text="People start at once; otherwise with the next sweep (within a second or two)."
    )
    # Of the current version, for the look-up of who starts on what:
    trigger_type = models.CharField(max_length=40)
    trigger_configuration: models.JSONField[Any, Any] = models.JSONField(default=dict, blank=True)
    trigger_key = models.CharField(max_length=300, editable=False, help_text='What starts it, e.g. "event:signup".')
    weight = models.PositiveSmallIntegerField(
        "importance", choices=Weight, default=Weight.NORMAL, db_default=20,
        help_text="When caps leave room for one message, the more important one goes.",
    )  # fmt: skip
    shelf_hours = models.PositiveIntegerField(
        "messages keep for hours", null=True, blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(8760)],
        help_text="What has not gone by then is not sent; until then it waits for room under the caps.",
    )  # fmt: skip
    holdout_percent = models.DecimalField(
        "held out, percent", max_digits=4, decimal_places=1, default=Decimal(0), db_default=Decimal(0),
        validators=[MinValueValidator(0), MaxValueValidator(50)],
        help_text="Drawn by chance and sent nothing, so that the effect can be measured.",
    )  # fmt: skip
    entry_rule = models.CharField(max_length=10, choices=EntryRule, default=EntryRule.ONCE)
    current_version = models.ForeignKey(
        "AutomationVersion", null=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization_id", "slug"], name="one_automation_per_slug")]
        indexes = [
            models.Index(
                fields=["organization_id", "trigger_key"], condition=Q(is_active=True), name="listening_automations"
            )
        ]

    def __str__(self) -> str:
        return self.name


class AutomationVersion(OrganizationScoped):
    """A workflow as it was from a moment on; never changed. People inside stay on the version they entered."""

    automation = models.ForeignKey(Automation, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    # {"format": 1, "trigger": {"type", "configuration"}, "entry": {"rule"}, "steps": [step …]}; domain.tree reads it.
    document: models.JSONField[Any, Any] = models.JSONField()
    first_step_id = models.CharField(max_length=60, blank=True, default="")
    author = models.CharField(max_length=200, blank=True, default="")
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["automation", "number"], name="one_automation_version_per_number")
        ]

    def __str__(self) -> str:
        return f"{self.automation} v{self.number}"


class AutomationAction(OrganizationScoped):
    """One step of a version as a row (the API says action): written with the version, never changed.

    The document is what runs; these rows answer "which workflows use this template" and name steps in reports.
    """

    version = models.ForeignKey(AutomationVersion, on_delete=models.CASCADE, related_name="actions")
    step_id = models.CharField(max_length=60)
    path = models.CharField(max_length=200, help_text='Place in the tree, e.g. "2.then.0".')
    action_type = models.CharField(max_length=40)
    action_order = models.PositiveIntegerField(help_text="Among the steps of the same list.")
    is_active = models.BooleanField(default=True)
    configuration: models.JSONField[Any, Any] = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["version", "step_id"], name="one_action_per_step")]
        indexes = [models.Index(fields=["organization_id", "action_type"], name="actions_by_type")]

    def __str__(self) -> str:
        return f"{self.path} {self.action_type}"


class RunStatus(models.TextChoices):
    RUNNING = "running"  # due or waiting: `run_at` says when it goes on
    HELD = "held"  # its automation is switched off
    COMPLETED = "completed"  # came to the last step
    EXITED = "exited"  # left on the way
    FAILED = "failed"  # dead letter: can be replayed
    CANCELLED = "cancelled"  # taken out by a colleague, or merged into somebody who is inside already


# While a run is one of these, its contact is inside and does not enter again.
INSIDE = (RunStatus.RUNNING, RunStatus.HELD, RunStatus.FAILED)


class AutomationRun(OrganizationScoped):
    """One contact on the way through one version: stands on a step and goes on at `run_at`."""

    automation = models.ForeignKey(Automation, on_delete=models.CASCADE, related_name="runs", db_constraint=False)
    version = models.ForeignKey(AutomationVersion, on_delete=models.CASCADE, related_name="runs", db_constraint=False)
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="runs", db_constraint=False)
    entry_key = models.CharField(max_length=300, help_text='"once", or what caused this entry.')
    status = models.CharField(max_length=10, choices=RunStatus, default=RunStatus.RUNNING, db_default="running")
    step_id = models.CharField(max_length=60, blank=True, default="", db_default="", help_text="Empty: at the end.")
    run_at = models.DateTimeField(default=clock.now)
    waiting_since = models.DateTimeField(null=True, help_text="Set while the step itself waits.")
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0, help_text="Failed tries of this step.")
    step_count = models.PositiveIntegerField(default=0, db_default=0, help_text="Step records so far.")
    facts: models.JSONField[Any, Any] = models.JSONField(default=dict, db_default={}, help_text="What started it.")
    error = models.TextField(blank=True, default="", db_default="")
    entered_at = models.DateTimeField(default=clock.now)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "run"
        constraints = [
            models.UniqueConstraint(fields=["automation", "contact", "entry_key"], name="one_run_per_entry"),
            models.UniqueConstraint(
                fields=["automation", "contact"],
                condition=Q(status__in=["running", "held", "failed"]),
                name="one_run_inside",
            ),
        ]
        indexes = [
            models.Index(
                fields=["organization_id", "run_at", "id"], condition=Q(status="running"), name="running_runs"
            ),
            models.Index(fields=["organization_id", "automation", "status", "-id"], name="runs_by_automation"),
            models.Index(fields=["organization_id", "contact", "-id"], name="runs_by_contact"),
        ]

    def __str__(self) -> str:
        return f"{self.contact_id} in {self.automation_id}"


class StepOutcome(models.TextChoices):
    DONE = "done"
    WAITED = "waited"
    BRANCHED = "branched"  # detail.branch says where to
    SKIPPED = "skipped"  # nothing to do for this contact; detail.reason says why
    EXITED = "exited"
    FAILED = "failed"  # one failed try; error says why


class StepRun(OrganizationScoped):
    """What one step did for one run: written in the transaction that did it."""

    run = models.ForeignKey(AutomationRun, on_delete=models.CASCADE, related_name="step_runs", db_constraint=False)
    number = models.PositiveIntegerField(help_text="1, 2, 3 … within the run.")
    step_id = models.CharField(max_length=60)
    outcome = models.CharField(max_length=10, choices=StepOutcome)
    detail: models.JSONField[Any, Any] = models.JSONField(default=dict, db_default={})
    error = models.TextField(blank=True, default="", db_default="")
    happened_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "number"], name="one_step_run_per_number")]

    def __str__(self) -> str:
        return f"{self.step_id} {self.outcome}"


class Rotation(OrganizationScoped):
    """Whose turn it is in a round-robin step: how many contacts were handed out so far."""

    automation = models.ForeignKey(Automation, on_delete=models.CASCADE, related_name="+")
    step_id = models.CharField(max_length=60)
    position = models.BigIntegerField(default=0, db_default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["automation", "step_id"], name="one_rotation_per_step")]

    def __str__(self) -> str:
        return f"{self.step_id}: {self.position}"


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


class TaskStatus(models.TextChoices):
    OPEN = "open"
    DONE = "done"
    CANCELLED = "cancelled"


class Task(OrganizationScoped):
    """Work for a colleague about a contact."""

    contact = models.ForeignKey(Contact, null=True, blank=True, on_delete=models.CASCADE, related_name="tasks")
    title = models.CharField(max_length=300)
    description = models.TextField(blank=True, default="")
    task_type = models.CharField(max_length=60, default="follow_up")
    priority = models.CharField(max_length=10, choices=Priority, default=Priority.MEDIUM)
    due_date = models.DateField(null=True, blank=True)
    assignee = models.ForeignKey(Member, null=True, blank=True, on_delete=models.SET_NULL, related_name="tasks")
    status = models.CharField(max_length=10, choices=TaskStatus, default=TaskStatus.OPEN, db_default="open")
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
            models.Index(fields=["organization_id", "contact"], name="tasks_by_contact"),
        ]

    def __str__(self) -> str:
        return self.title


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
