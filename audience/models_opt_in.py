"""Double opt-in: how an organisation asks for the click, and who was asked."""

from __future__ import annotations

from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from audience.models import Contact, MessageChannel, Topic
from common import clock
from common.tenancy import OrganizationScoped


class OptInSettings(OrganizationScoped):
    """How new subscriptions to e-mail are confirmed. One row per organisation; absent means the defaults."""

    is_double = models.BooleanField(
        "ask for a click", default=False, help_text="A new yes to e-mail counts after a click in a confirmation mail."
    )
    expire_days = models.PositiveSmallIntegerField(
        "link works for days", default=7, validators=[MinValueValidator(1), MaxValueValidator(90)]
    )
    most_mails = models.PositiveSmallIntegerField(
        "mails at most", default=3, validators=[MinValueValidator(1), MaxValueValidator(10)],
        help_text="How often the link is sent to one address within a day.",
    )  # fmt: skip

    class Meta:
        verbose_name_plural = "opt-in settings"
        constraints = [models.UniqueConstraint(fields=["organization_id"], name="one_opt_in_per_organization")]

    def __str__(self) -> str:
        return "Opt-in settings"


class ConsentRequest(OrganizationScoped):
    """A yes that waits for the click that proves it. Until then it changes nothing."""

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="+", db_constraint=False)
    channel = models.CharField(max_length=10, choices=MessageChannel)
    topic = models.ForeignKey(Topic, null=True, blank=True, on_delete=models.CASCADE)
    how = models.CharField(max_length=100)
    wording = models.TextField(blank=True, default="")
    proof: models.JSONField[Any, Any] = models.JSONField(default=dict)
    address = models.CharField(max_length=320, help_text="Where the link went.")
    mail_count = models.PositiveSmallIntegerField(default=0)
    mailed_at = models.DateTimeField(null=True)
    requested_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization_id", "contact", "channel", "topic"],
                condition=Q(confirmed_at=None),
                name="one_open_consent_request",
                nulls_distinct=False,
            )
        ]

    def __str__(self) -> str:
        return f"{self.channel} for {self.topic or 'all topics'}"
