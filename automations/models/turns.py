"""When workflows that start by the clock look next for whom to start."""

from __future__ import annotations

from typing import Any

from django.db import models

from automations.models.workflows import Automation
from common import clock
from common.tenancy import OrganizationScoped


class TriggerTurn(OrganizationScoped):
    """The next turn of a workflow that the clock starts; there is none while it is switched off."""

    automation = models.OneToOneField(Automation, on_delete=models.CASCADE, related_name="turn")
    trigger: models.JSONField[Any, Any] = models.JSONField(help_text="The trigger that the moments below are of.")
    turn_at = models.DateTimeField(help_text="The turn that comes; a late one keeps its moment.")
    run_at = models.DateTimeField(help_text="When it is tried: the same, later after a failure.")
    looked_at = models.DateTimeField(default=clock.now, help_text="Moments until then have had their turn.")

    class Meta:
        indexes = [models.Index(fields=["organization_id", "run_at"], name="turns_by_time")]

    def __str__(self) -> str:
        return f"{self.automation_id} at {self.turn_at:%Y-%m-%d %H:%M}"
