"""Rehearsals of workflows: what was asked, how far it is, what came of it."""

from __future__ import annotations

from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from automations.models.workflows import Automation, AutomationVersion
from common import clock
from common.tenancy import OrganizationScoped

MOST_DAYS = 366


class SimulationStatus(models.TextChoices):
    PENDING = "pending"  # asked for
    RUNNING = "running"  # `run_at` is when its worker is taken for dead
    DONE = "done"
    FAILED = "failed"  # `error` says why
    CANCELLED = "cancelled"


class Simulation(OrganizationScoped):
    """A workflow's document replayed against real events of some days. It writes nothing but this row."""

    automation = models.ForeignKey(Automation, on_delete=models.CASCADE, related_name="simulations")
    version = models.ForeignKey(AutomationVersion, null=True, on_delete=models.SET_NULL, related_name="+")
    # As AutomationVersion.document; of a draft, what it was when it was asked for.
    document: models.JSONField[Any, Any] = models.JSONField()
    days = models.PositiveSmallIntegerField(
        default=30, validators=[MinValueValidator(1), MaxValueValidator(MOST_DAYS)]
    )
    since = models.DateTimeField()
    until = models.DateTimeField()
    status = models.CharField(max_length=10, choices=SimulationStatus, default=SimulationStatus.PENDING)
    run_at = models.DateTimeField(default=clock.now)
    done_count = models.PositiveBigIntegerField(default=0)
    whole_count = models.PositiveBigIntegerField(null=True)
    result: models.JSONField[Any, Any] = models.JSONField(null=True)
    error = models.TextField(blank=True, default="")
    author = models.CharField(max_length=200, blank=True, default="")
    created_at = models.DateTimeField(default=clock.now)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["organization_id", "run_at"],
                condition=models.Q(status__in=["pending", "running"]),
                name="simulations_to_run",
            )
        ]

    def __str__(self) -> str:
        return f"{self.automation}, {self.name}, {self.days} days"

    @property
    def name(self) -> str:
        """What of the workflow was replayed: `version 3`, or its draft."""
        return f"version {self.version.number}" if self.version else "draft"

    @property
    def is_over(self) -> bool:
        return self.status not in (SimulationStatus.PENDING, SimulationStatus.RUNNING)
