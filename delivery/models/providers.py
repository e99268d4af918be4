"""Through whom messages leave: one row per account at a provider."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q

from audience.models import MessageChannel
from common import clock
from common.tenancy import OrganizationScoped


class Provider(OrganizationScoped):
    """An account at a provider. `kind` names its module in delivery.providers.PROVIDERS, which says what `settings`
    holds; what must stay secret is in `sealed_secrets`, readable only with the site's secret key.

    E-mail without a row goes by EMAIL_URL, which gets one (kind `site`) when it is paused for the first time; in-app
    messages go to the built-in inbox.
    """

    channel = models.CharField(max_length=10, choices=MessageChannel)
    kind = models.CharField(max_length=30)
    name = models.CharField(max_length=100)
    settings: models.JSONField[Any, Any] = models.JSONField(default=dict, blank=True)
    sealed_secrets = models.TextField(blank=True, default="", editable=False)
    is_default = models.BooleanField(
        default=False, help_text="Used by messages of the channel whose sender names no other."
    )
    is_active = models.BooleanField(default=True, help_text="Switched off, its messages wait.")
    paused_at = models.DateTimeField(null=True, blank=True, editable=False)
    paused_reason = models.CharField(max_length=300, blank=True, default="", editable=False)
    paused_because = models.CharField(
        max_length=10, blank=True, default="", editable=False, help_text="Empty when a person paused it."
    )
    pause_count = models.PositiveSmallIntegerField(
        default=0, editable=False, help_text="How often in a row it was paused by itself."
    )
    probe_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When one message tries whether it works again."
    )
    revision = models.PositiveIntegerField(default=1, editable=False, help_text="Counts changes of the settings.")
    created_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints = [
            # Push has one per kind: a contact's browsers and phones are reached by different ones at once.
            models.UniqueConstraint(
                fields=["organization_id", "channel"],
                condition=Q(is_default=True) & ~Q(channel="push"),
                name="one_default_provider_per_channel",
            ),
            models.UniqueConstraint(
                fields=["organization_id", "kind"],
                condition=Q(is_default=True, channel="push"),
                name="one_default_push_provider_per_kind",
            ),
            models.UniqueConstraint(fields=["organization_id", "name"], name="one_provider_per_name"),
        ]

    def __str__(self) -> str:
        return self.name
