"""What an organisation and a contact set for messages nobody waits for: caps, quiet hours, pauses."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from audience.models import Contact, MessageChannel, Topic
from common import clock
from common.tenancy import OrganizationScoped
from delivery.models.content import MessageKind

LIMITED_KINDS = [choice for choice in MessageKind.choices if choice[0] != MessageKind.TRANSACTIONAL]
MOST_HOURS = 24 * 366


class CapRule(OrganizationScoped):
    """A cap beside the general one of the delivery policy. All that cover a message hold: the strictest decides."""

    kind = models.CharField(max_length=15, choices=LIMITED_KINDS, default=MessageKind.MARKETING)
    channel = models.CharField(
        max_length=10,
        choices=MessageChannel,
        blank=True,
        default="",
        help_text="Empty: all together, but in-app, Slack and webhooks.",
    )
    topic = models.ForeignKey(
        Topic,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        db_constraint=False,
        help_text="Empty: all topics together.",
    )
    most = models.PositiveSmallIntegerField(
        "at most", null=True, blank=True, help_text="Messages per contact; empty: any number."
    )
    per_hours = models.PositiveSmallIntegerField(
        "in hours",
        default=24,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_HOURS)],
        help_text="24 is a day, 168 a week.",
    )
    hours_between = models.PositiveSmallIntegerField(
        default=0, validators=[MaxValueValidator(MOST_HOURS)], help_text="0: as close as they come."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization_id", "kind", "channel", "topic", "per_hours"],
                name="one_cap_per_scope",
                nulls_distinct=False,
            )
        ]

    def __str__(self) -> str:
        about = [self.get_kind_display()]
        about += [self.get_channel_display()] if self.channel else []
        about += [f"“{self.topic}”"] if self.topic else []
        limits = [f"{self.most} in {self.per_hours} hours"] if self.most is not None else []
        limits += [f"{self.hours_between} hours apart"] if self.hours_between else []
        return f"{', '.join(about)}: {', '.join(limits)}"


class Weekday(models.IntegerChoices):
    MONDAY = 0, "Monday"
    TUESDAY = 1, "Tuesday"
    WEDNESDAY = 2, "Wednesday"
    THURSDAY = 3, "Thursday"
    FRIDAY = 4, "Friday"
    SATURDAY = 5, "Saturday"
    SUNDAY = 6, "Sunday"


class QuietHours(OrganizationScoped):
    """Hours in which a channel is quiet, in the contact's zone. A channel with rows of its own goes by them alone."""

    channel = models.CharField(max_length=10, choices=MessageChannel)
    quiet_from = models.TimeField(default="21:00")
    quiet_until = models.TimeField(
        default="08:00", help_text="The same as from: with weekdays the whole day, without them never quiet."
    )
    weekdays: ArrayField[Any, Any] = ArrayField(
        models.PositiveSmallIntegerField(choices=Weekday),
        default=list,
        blank=True,
        db_default=[],
        help_text="On which it begins; none: every day.",
    )

    class Meta:
        verbose_name_plural = "quiet hours"

    def __str__(self) -> str:
        days = ", ".join(Weekday(day).label for day in sorted(self.weekdays)) or "every day"
        return f"{self.get_channel_display()}: {self.quiet_from:%H:%M}–{self.quiet_until:%H:%M}, {days}"


class Frequency(models.TextChoices):
    """How often a contact wants to hear from us, as the preference page asks."""

    ANY = "any", "Whenever there is something to say"
    DAILY = "daily", "At most once a day"
    WEEKLY = "weekly", "At most once a week"
    MONTHLY = "monthly", "At most once a month"


class Preference(OrganizationScoped):
    """What a contact asked for beside consent: a cap of their own, a pause."""

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="+", db_constraint=False)
    frequency = models.CharField(max_length=10, choices=Frequency, default=Frequency.ANY, db_default="any")
    paused_until = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization_id", "contact"], name="one_preference_per_contact")
        ]

    def __str__(self) -> str:
        return f"preferences of contact {self.contact_id}"
