"""From whom messages come."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from common.tenancy import OrganizationScoped
from delivery.models.providers import Provider


class Sender(OrganizationScoped):
    """From whom e-mail comes. The default one is used unless a message names another."""

    name = models.CharField(max_length=100)
    address = models.EmailField()
    reply_to = models.EmailField(blank=True, default="")
    is_default = models.BooleanField(default=False)
    provider = models.ForeignKey(
        Provider,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="senders",
        limit_choices_to={"channel": "email"},
        help_text="Empty: the default one for e-mail.",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization_id"], condition=Q(is_default=True), name="one_default_sender"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} <{self.address}>"
