"""Who gets nothing, so that the effect of what the others get can be measured."""

from __future__ import annotations

import secrets

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from audience.models import Contact
from common import clock
from common.tenancy import OrganizationScoped
from delivery.models.messages import SourceType


def new_salt() -> str:
    return secrets.token_hex(8)


class Holdout(OrganizationScoped):
    """A share of the contacts, drawn by a salted hash, that a source (or everything) leaves out.

    The draw is stable within a period. With `renew_days` a new period, and a new draw, begins by itself.
    """

    name = models.CharField(max_length=200)
    source_type = models.CharField(
        max_length=12, choices=SourceType, blank=True, default="", editable=False, help_text="Empty: everything."
    )
    source_id = models.BigIntegerField(default=0, editable=False)
    percent = models.DecimalField(
        max_digits=4, decimal_places=1, validators=[MinValueValidator(0), MaxValueValidator(50)]
    )
    salt = models.CharField(max_length=32, default=new_salt, editable=False)
    starts_at = models.DateTimeField(default=clock.now)
    ends_at = models.DateTimeField(null=True, blank=True, help_text="Empty: until it is switched off.")
    renew_days = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="A new group is drawn after so many days; empty: the same group all along.",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization_id", "source_type", "source_id"],
                condition=~Q(source_type=""),
                name="one_holdout_per_source",
            )
        ]

    def __str__(self) -> str:
        return self.name


class HeldOut(OrganizationScoped):
    """A message that was not sent because its contact stands in a holdout: who was held out of what, and when."""

    holdout = models.ForeignKey(Holdout, on_delete=models.DO_NOTHING, related_name="held_out", db_constraint=False)
    period = models.PositiveIntegerField(help_text="Which draw it was, from 0.")
    contact = models.ForeignKey(Contact, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False)
    source_type = models.CharField(max_length=12, choices=SourceType)
    source_id = models.BigIntegerField()
    message = models.ForeignKey("Message", on_delete=models.DO_NOTHING, related_name="+", db_constraint=False)
    happened_at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name = "held-out message"
        constraints = [
            models.UniqueConstraint(fields=["organization_id", "message"], name="held_out_once_per_message")
        ]
        indexes = [
            models.Index(fields=["organization_id", "holdout", "period", "contact"], name="held_out_by_holdout"),
            models.Index(fields=["organization_id", "contact"], name="held_out_by_contact"),
        ]

    def __str__(self) -> str:
        return f"contact {self.contact_id}, {self.source_type} {self.source_id}"
