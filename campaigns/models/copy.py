"""The copy assistant: how it writes for an organisation, what was asked of it, and what the endpoint cost."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator
from django.db import models

from campaigns.models.templates import EmailTemplate
from common import clock
from common.tenancy import OrganizationScoped
from experiments.models import Arm, Experiment


class CopySettings(OrganizationScoped):
    """One row an organisation, made when somebody saves it."""

    uses_endpoint = models.BooleanField(
        "ask the language model", default=False,
        help_text="Sends the words of the message, never a contact's data, to the endpoint of this installation.",
    )  # fmt: skip
    monthly_cap_minor = models.PositiveIntegerField(
        "at most per month", default=1000, validators=[MaxValueValidator(10_000_000)],
        help_text="In cents of the endpoint's currency. Beyond it lines are written without the endpoint.",
    )  # fmt: skip
    is_formal = models.BooleanField("formal address", default=False, help_text="German: Sie instead of du.")
    greets_by_name = models.BooleanField("may greet by name", default=True)
    avoided_words: ArrayField[Any, Any] = ArrayField(
        models.CharField(max_length=40), default=list, blank=True, help_text="Words that are in no proposal."
    )

    class Meta:
        verbose_name_plural = "copy settings"
        constraints = [models.UniqueConstraint(fields=["organization_id"], name="one_copy_settings")]

    def __str__(self) -> str:
        return "Copy assistant"


class CopySpend(OrganizationScoped):
    """What the endpoint cost in a month, calls under way at their most."""

    month = models.DateField()
    spent_micro = models.BigIntegerField(default=0, help_text="Millionths of the endpoint's currency.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization_id", "month"], name="one_copy_spend_per_month")]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}: {self.spent_micro / 1e6:.4f}"


class CopyKind(models.TextChoices):
    SUBJECT = "subject", "Subject and preheader"
    PREHEADER = "preheader", "Preheader"
    TEXT = "text", "Short text"


class CopyRequest(OrganizationScoped):
    """One question to the assistant: who asked, what was answered, what it cost, what was taken."""

    template = models.ForeignKey(EmailTemplate, null=True, on_delete=models.SET_NULL, related_name="+")
    kind = models.CharField(max_length=10, choices=CopyKind)
    language = models.CharField(max_length=20)
    state = models.CharField(max_length=12, blank=True, default="", help_text="Where the readers stand.")
    asked_by = models.CharField(max_length=200)
    asked_at = models.DateTimeField(default=clock.now)
    own = models.TextField(blank=True, default="", help_text="The wording that stood there.")
    source = models.CharField(max_length=10, help_text="“endpoint” or “offline”.")
    reason = models.CharField(max_length=300, blank=True, default="", help_text="Why the endpoint was not used.")
    model = models.CharField(max_length=200, blank=True, default="")
    asked: models.JSONField[Any, Any] = models.JSONField(default=dict, help_text="What went to the endpoint.")
    answer = models.TextField(blank=True, default="", help_text="What the endpoint said.")
    variants: models.JSONField[Any, Any] = models.JSONField(default=list)
    notes: models.JSONField[Any, Any] = models.JSONField(default=list, help_text="What a reader of them should know.")
    input_tokens = models.PositiveIntegerField(default=0)
    output_tokens = models.PositiveIntegerField(default=0)
    cost_micro = models.BigIntegerField(default=0, help_text="Millionths of the endpoint's currency.")
    duration_ms = models.PositiveIntegerField(default=0)
    chosen = models.PositiveSmallIntegerField(null=True, help_text="Which of the variants was taken, from 0.")
    chosen_by = models.CharField(max_length=200, blank=True, default="")
    chosen_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "copy request"
        indexes = [
            models.Index(fields=["organization_id", "template", "-id"], name="copy_request_by_template"),
            models.Index(fields=["organization_id", "-asked_at"], name="copy_request_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} for {self.template or 'a draft'}"


class CopyTest(OrganizationScoped):
    """An experiment in which a line of the assistant meets the wording of a person; only its result counts."""

    request = models.ForeignKey(CopyRequest, on_delete=models.CASCADE, related_name="tests")
    variant = models.PositiveSmallIntegerField(help_text="Of the request, from 0.")
    experiment = models.OneToOneField(Experiment, on_delete=models.CASCADE, related_name="+")
    own_arm = models.ForeignKey(Arm, on_delete=models.CASCADE, related_name="+")
    assistant_arm = models.ForeignKey(Arm, on_delete=models.CASCADE, related_name="+")
    own_text = models.TextField()
    assistant_text = models.TextField()
    exclusion = models.CharField(
        max_length=300, blank=True, default="",
        help_text="Why it does not count, decided when it was made, before there was a result.",
    )  # fmt: skip
    made_by = models.CharField(max_length=200)
    made_at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name = "copy test"
        constraints = [models.UniqueConstraint(fields=["request", "variant"], name="one_copy_test_per_line")]

    def __str__(self) -> str:
        return f"“{self.assistant_text}” against “{self.own_text}”"


class CopyLearning(OrganizationScoped):
    """What the organisation's own subject tests say of lines. Made anew every night; one row."""

    test_count = models.PositiveIntegerField(help_text="Own tests that went in.")
    is_used = models.BooleanField(help_text="It foretold own tests better than the general ranker.")
    weights: models.JSONField[Any, Any] = models.JSONField(help_text="As copy.own.Learnt keeps them.")
    learned_at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name_plural = "copy learning"
        constraints = [models.UniqueConstraint(fields=["organization_id"], name="one_copy_learning")]

    def __str__(self) -> str:
        return f"{self.test_count} own tests"
