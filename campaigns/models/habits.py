"""When people read: what best times are chosen from. Learned from the ledger, at most once a day."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from audience.models import Contact
from common.tenancy import OrganizationScoped


class ReadingHabit(OrganizationScoped):
    """How often all contacts together opened or clicked, by hour of the week (Monday 00:00 first) on their clocks."""

    learned_at = models.DateTimeField()
    hours = ArrayField(models.PositiveIntegerField())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization_id"], name="one_reading_habit")]

    def __str__(self) -> str:
        return f"Habit of {self.organization_id}"


class ReadingHour(OrganizationScoped):
    """How often one contact opened or clicked in an hour of the week, on its own clock."""

    contact = models.ForeignKey(
        Contact, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    hour_of_week = models.PositiveSmallIntegerField()
    count = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization_id", "contact", "hour_of_week"], name="one_reading_hour")
        ]

    def __str__(self) -> str:
        return f"{self.contact_id} at {self.hour_of_week}"
