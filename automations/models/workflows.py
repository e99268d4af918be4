"""Workflows, their versions, and one row for each step of a version."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from common import clock
from common.tenancy import OrganizationScoped
from delivery.models import Weight


class EntryRule(models.TextChoices):
    ONCE = "once", "Once ever"
    AGAIN = "again", "Again after they have left"
    AFTER_DAYS = "after_days", "Again some days after they have left"
    CONCURRENT = "concurrent", "Once at a time for each value of a key"


class ErrorPolicy(models.TextChoices):
    """What becomes of a run whose step has failed for good."""

    STOP = "stop", "Stop here, to be tried again by hand"
    CONTINUE = "continue", "Go on with the next step"
    EXIT = "exit", "Leave the workflow"


class Automation(OrganizationScoped):
    """A workflow. What it does stands in its versions; this row says which one new people enter."""

    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=100)
    description = models.TextField(blank=True, default="")
    is_active = models.BooleanField(default=False, help_text="Off: nobody enters, and those inside are held.")
    run_immediately = models.BooleanField(
        default=True, help_text="People start at once; otherwise with the next sweep (within a second or two)."
    )
    # Of the current version, for the look-up of who starts on what:
    trigger_type = models.CharField(max_length=40)
    trigger_configuration: models.JSONField[Any, Any] = models.JSONField(default=dict, blank=True)
    trigger_key = models.CharField(max_length=300, editable=False, help_text='What starts it, e.g. "event:signup".')
    weight = models.PositiveSmallIntegerField(
        "importance", choices=Weight, default=Weight.NORMAL, db_default=20,
        help_text="When caps leave room for one message, the more important one goes.",
    )  # fmt: skip
    shelf_hours = models.PositiveIntegerField(
        "messages keep for hours", null=True, blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(8760)],
        help_text="What has not gone by then is not sent; until then it waits for room under the caps.",
    )  # fmt: skip
    holdout_percent = models.DecimalField(
        "held out, percent", max_digits=4, decimal_places=1, default=Decimal(0), db_default=Decimal(0),
        validators=[MinValueValidator(0), MaxValueValidator(50)],
        help_text="Drawn by chance and sent nothing, so that the effect can be measured.",
    )  # fmt: skip
    entry_rule = models.CharField(max_length=10, choices=EntryRule, default=EntryRule.ONCE)
    entry_days = models.PositiveSmallIntegerField(
        "days outside", null=True, blank=True, help_text="For after_days: how long they have been out."
    )
    entry_key = models.CharField(
        max_length=300, blank=True, default="", db_default="",
        help_text='For concurrent: where its value stands, such as "event.properties.order_id".',
    )  # fmt: skip
    # The flow as somebody is writing it, in the API's words; None when there is nothing unpublished.
    draft: models.JSONField[Any, Any] = models.JSONField(null=True, blank=True, editable=False)
    current_version = models.ForeignKey(
        "AutomationVersion", null=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization_id", "slug"], name="one_automation_per_slug")]
        indexes = [
            models.Index(
                fields=["organization_id", "trigger_key"], condition=Q(is_active=True), name="listening_automations"
            )
        ]

    def __str__(self) -> str:
        return self.name


class AutomationVersion(OrganizationScoped):
    """A workflow as it was from a moment on; never changed. People inside stay on the version they entered."""

    automation = models.ForeignKey(Automation, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    # {"format": 1, "trigger": {"type", "configuration"}, "entry": {"rule", "days", "key"}, "goal": rule,
    # "exit": rule, "steps": [step …]}; what is absent has its default; domain.tree reads the steps.
    document: models.JSONField[Any, Any] = models.JSONField()
    first_step_id = models.CharField(max_length=60, blank=True, default="")
    author = models.CharField(max_length=200, blank=True, default="")
    created_at = models.DateTimeField(default=clock.now)
    closed_at = models.DateTimeField(null=True, help_text="Drained: people inside finish it, and it is closing.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["automation", "number"], name="one_automation_version_per_number")
        ]

    def __str__(self) -> str:
        return f"{self.automation} v{self.number}"


class AutomationAction(OrganizationScoped):
    """One step of a version as a row (the API says action): written with the version, never changed.

    The document is what runs; these rows answer "which workflows use this template" and name steps in reports.
    """

    version = models.ForeignKey(AutomationVersion, on_delete=models.CASCADE, related_name="actions")
    step_id = models.CharField(max_length=60)
    path = models.CharField(max_length=200, help_text='Place in the tree, e.g. "2.then.0".')
    action_type = models.CharField(max_length=40)
    action_order = models.PositiveIntegerField(help_text="Among the steps of the same list.")
    is_active = models.BooleanField(default=True)
    configuration: models.JSONField[Any, Any] = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["version", "step_id"], name="one_action_per_step")]
        indexes = [models.Index(fields=["organization_id", "action_type"], name="actions_by_type")]

    def __str__(self) -> str:
        return f"{self.path} {self.action_type}"


class AutomationWatch(OrganizationScoped):
    """Something that wakes people inside a version: those on one step, or everybody (`step_id` empty).

    Written with the version, never changed. `key` as in `AutomationRun.wakes_on`.
    """

    version = models.ForeignKey(AutomationVersion, on_delete=models.CASCADE, related_name="watches")
    step_id = models.CharField(max_length=60, blank=True, default="")
    key = models.CharField(max_length=300, help_text='"event:order_completed", "attribute:status" or "segment:3".')

    class Meta:
        constraints = [models.UniqueConstraint(fields=["version", "step_id", "key"], name="one_watch_per_key")]
        indexes = [models.Index(fields=["organization_id", "key"], name="watches_by_key")]

    def __str__(self) -> str:
        return f"{self.version_id} {self.step_id} {self.key}"
