"""The house's own words to a contact, and the words of those who leave."""

from __future__ import annotations

from django.db import models

from audience.models import Contact
from common import clock
from common.tenancy import OrganizationScoped


class ConfirmationLetter(OrganizationScoped):
    """The mail that asks for the click of a double opt-in, in one language. Without a row the built-in one goes."""

    locale = models.CharField(
        "language", max_length=20, blank=True, default="", help_text='E.g. "de" or "pt-BR"; empty: all the others.'
    )
    subject = models.CharField(max_length=300)
    html = models.TextField("words", help_text="{{ confirm_url }} is the link, {{ subscription }} what it is for.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization_id", "locale"], name="one_confirmation_per_locale")
        ]

    def __str__(self) -> str:
        return f"Confirmation mail ({self.locale or 'all languages'})"


class LeavingReason(models.TextChoices):
    TOO_OFTEN = "too_often", "Too many messages"
    IRRELEVANT = "irrelevant", "Not interesting to me"
    NEVER_ASKED = "never_asked", "I never asked for them"
    OTHER = "other", "Something else"


class Farewell(OrganizationScoped):
    """Why somebody unsubscribed, as far as they told."""

    message = models.ForeignKey("Message", on_delete=models.CASCADE, related_name="+", db_constraint=False)
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="+", db_constraint=False)
    reason = models.CharField(max_length=12, choices=LeavingReason)
    words = models.CharField(max_length=500, blank=True, default="")
    told_at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name = "reason for unsubscribing"
        verbose_name_plural = "reasons for unsubscribing"
        constraints = [
            models.UniqueConstraint(fields=["organization_id", "message"], name="one_farewell_per_message")
        ]

    def __str__(self) -> str:
        return self.get_reason_display()
