"""Where people stand and what was done, counted: pages read these rows and never a million of runs or steps."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from automations.models.workflows import Automation, AutomationVersion
from common.tenancy import OrganizationScoped


class RunCount(OrganizationScoped):
    """How many runs stand where, now. Rows add up.

    Each statement that writes runs appends what it adds and takes away (triggers of the
    migration count_runs, docs/adr/0020); `services.counting.fold` makes one row of many. So the sum is right at every
    moment, whoever wrote, and no engine waits for another.
    """

    automation = models.ForeignKey(
        Automation, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    version = models.ForeignKey(
        AutomationVersion, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    status = models.CharField(max_length=10)
    step_id = models.CharField(max_length=60)
    people = models.IntegerField()
    is_folded = models.BooleanField(default=False, db_default=False)

    class Meta:
        indexes = [
            models.Index(fields=["automation", "version"], name="run_counts_by_automation"),
            models.Index(fields=["organization_id"], condition=Q(is_folded=False), name="run_counts_to_fold"),
        ]

    def __str__(self) -> str:
        return f"{self.people} {self.status} at {self.step_id}"


class StepCount(OrganizationScoped):
    """What steps did, by day and way; outlives the step records, which may be purged. Rows add up as in RunCount.

    `outcome` is a step's (`step_id` says which), or with an empty `step_id` "entered", "completed", "exited" and
    "cancelled": who came into the version and left it.
    `slot` is how long after the entry: floor(4 · log2(1 + seconds)).
    """

    automation = models.ForeignKey(
        Automation, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    version = models.ForeignKey(
        AutomationVersion, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    step_id = models.CharField(max_length=60)
    outcome = models.CharField(max_length=10)
    way = models.CharField(max_length=100, help_text="The branch it took, or why it did nothing.")
    day = models.DateField(help_text="In the organisation's zone.")
    slot = models.SmallIntegerField()
    times = models.IntegerField()
    is_folded = models.BooleanField(default=False, db_default=False)

    class Meta:
        indexes = [
            models.Index(fields=["automation", "version", "day"], name="step_counts_by_automation"),
            models.Index(fields=["organization_id"], condition=Q(is_folded=False), name="step_counts_to_fold"),
        ]

    def __str__(self) -> str:
        return f"{self.times} × {self.step_id} {self.outcome}"
