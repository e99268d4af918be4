"""The people inside workflows, and what each step did for them."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from audience.models import Contact
from automations.models.workflows import Automation, AutomationVersion
from common import clock
from common.tenancy import OrganizationScoped
from delivery.models import Weight


class RunStatus(models.TextChoices):
    RUNNING = "running"  # due or waiting: `run_at` says when it goes on
    HELD = "held"  # its automation is switched off
    COMPLETED = "completed"  # came to the last step
    EXITED = "exited"  # left on the way
    FAILED = "failed"  # dead letter: can be replayed
    CANCELLED = "cancelled"  # taken out by a colleague, or merged into somebody who is inside already


class ExitReason(models.TextChoices):
    """Why a run ended exited."""

    NONE = "", "—"
    GOAL = "goal", "Reached the goal"
    EXIT_RULE = "exit_rule", "Met the exit rule"
    STEP = "step", "An exit step"
    DRAINED = "drained", "Taken out by another version"
    STOPPED = "stopped", "Taken out when the workflow was stopped"
    ERROR = "error", "A step failed"


# While a run is one of these, its contact is inside and does not enter again.
INSIDE = (RunStatus.RUNNING, RunStatus.HELD, RunStatus.FAILED)


class AutomationRun(OrganizationScoped):
    """One contact on the way through one version: stands on a step and goes on at `run_at`."""

    # The indexes below begin with these; every further one would be written with every move.
    automation = models.ForeignKey(
        Automation, on_delete=models.CASCADE, related_name="runs", db_constraint=False, db_index=False
    )
    version = models.ForeignKey(
        AutomationVersion, on_delete=models.CASCADE, related_name="runs", db_constraint=False, db_index=False
    )
    contact = models.ForeignKey(
        Contact, on_delete=models.CASCADE, related_name="runs", db_constraint=False, db_index=False
    )
    entry_key = models.CharField(max_length=300, help_text='"once", or what caused this entry.')
    inside_key = models.CharField(
        max_length=300, blank=True, default="", db_default="", help_text="One run inside for each: of entry_key."
    )
    depth = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text="How many runs caused each other before this one."
    )
    status = models.CharField(max_length=10, choices=RunStatus, default=RunStatus.RUNNING, db_default="running")
    step_id = models.CharField(max_length=60, blank=True, default="", db_default="", help_text="Empty: at the end.")
    weight = models.PositiveSmallIntegerField(choices=Weight, default=Weight.NORMAL, db_default=20)
    run_at = models.DateTimeField(default=clock.now)
    waiting_since = models.DateTimeField(null=True, help_text="Set while the step itself waits.")
    waits_until = models.DateTimeField(null=True, help_text="When its wait is over; `run_at` may look earlier.")
    wakes_on = ArrayField(
        models.CharField(max_length=300), default=list, db_default=[], help_text="What ends its wait early."
    )
    laps: models.JSONField[Any, Any] = models.JSONField(
        default=dict, db_default={}, help_text='Turns of each repeating step; "" counts all that ever began.'
    )
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0, help_text="Failed tries of this step.")
    step_count = models.PositiveIntegerField(default=0, db_default=0, help_text="Step records so far.")
    # … and the offer that a step gave last.
    facts: models.JSONField[Any, Any] = models.JSONField(default=dict, db_default={}, help_text="What started it.")
    error = models.TextField(blank=True, default="", db_default="")
    exit_reason = models.CharField(
        max_length=10, choices=ExitReason, blank=True, default=ExitReason.NONE, db_default=""
    )
    entered_at = models.DateTimeField(default=clock.now)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "run"
        constraints = [
            models.UniqueConstraint(fields=["automation", "contact", "entry_key"], name="one_run_per_entry"),
            models.UniqueConstraint(
                fields=["automation", "contact", "inside_key"],
                condition=Q(status__in=["running", "held", "failed"]),
                name="one_run_inside",
            ),
        ]
        indexes = [
            models.Index(
                fields=["organization_id", "weight", "run_at", "id"],
                condition=Q(status="running"),
                name="running_runs",
            ),
            models.Index(fields=["organization_id", "automation", "status", "-id"], name="runs_by_automation"),
            models.Index(fields=["organization_id", "contact", "-id"], name="runs_by_contact"),
            models.Index(
                fields=["organization_id", "automation", "step_id"], condition=Q(status="failed"), name="failed_runs"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.contact} in {self.automation}"


class StepOutcome(models.TextChoices):
    DONE = "done"
    WAITED = "waited"
    BRANCHED = "branched"  # detail.branch says where to
    SKIPPED = "skipped"  # nothing to do for this contact; detail.reason says why
    EXITED = "exited"
    GOAL = "goal"  # it had reached the goal before this step
    FAILED = "failed"  # one failed try; error says why
    MOVED = "moved"  # taken over into another version at this step; detail says from where


class StepRun(OrganizationScoped):
    """What one step did for one run: written in the transaction that did it."""

    # Found by one_step_run_per_number, which begins with it.
    run = models.ForeignKey(
        AutomationRun, on_delete=models.CASCADE, related_name="step_runs", db_constraint=False, db_index=False
    )
    # As the run's own were at that moment, so that the log of a workflow is one look at one index.
    automation = models.ForeignKey(
        Automation, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    version = models.ForeignKey(
        AutomationVersion, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    seconds = models.PositiveIntegerField(default=0, db_default=0, help_text="After the entry.")
    number = models.PositiveIntegerField(help_text="1, 2, 3 … within the run.")
    step_id = models.CharField(max_length=60)
    outcome = models.CharField(max_length=10, choices=StepOutcome)
    detail: models.JSONField[Any, Any] = models.JSONField(default=dict, db_default={})
    error = models.TextField(blank=True, default="", db_default="")
    happened_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "number"], name="one_step_run_per_number")]
        indexes = [
            models.Index(fields=["automation", "happened_at", "id"], name="step_runs_by_automation"),
            models.Index(
                fields=["automation", "happened_at", "id"], condition=Q(outcome="failed"), name="step_runs_failed"
            ),
        ]

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
