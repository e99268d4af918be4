"""The ledger of messages: one row per contact and message, written before anything leaves the house."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from audience.models import Contact, MessageChannel, Topic
from common import clock
from common.tenancy import OrganizationScoped


class MessageKind(models.TextChoices):
    MARKETING = "marketing"  # needs consent, counts against caps, may be held by quiet hours
    TRANSACTIONAL = "transactional"  # the contact asked for it; only suppression stops it


class Content(OrganizationScoped):
    """What a message says, compiled and never changed once published."""

    channel = models.CharField(max_length=10, choices=MessageChannel, default=MessageChannel.EMAIL)
    kind = models.CharField(max_length=15, choices=MessageKind, default=MessageKind.MARKETING)
    name = models.CharField(max_length=200)
    subject = models.TextField(blank=True, default="")
    preheader = models.TextField(blank=True, default="", help_text="What inboxes show beside the subject.")
    html = models.TextField(blank=True, default="")
    text = models.TextField(blank=True, default="")
    defaults: models.JSONField[Any, Any] = models.JSONField(
        default=dict, help_text="Values for variables a contact lacks."
    )
    variables: models.JSONField[Any, Any] = models.JSONField(
        default=list, db_default=[], help_text="Names that every message of this content brings along."
    )
    checksum = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization_id", "checksum"], name="one_content_per_checksum")
        ]

    def __str__(self) -> str:
        return self.name


class Sender(OrganizationScoped):
    """From whom e-mail comes. The default one is used unless a message names another."""

    name = models.CharField(max_length=100)
    address = models.EmailField()
    reply_to = models.EmailField(blank=True, default="")
    is_default = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization_id"], condition=Q(is_default=True), name="one_default_sender"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} <{self.address}>"


class SourceType(models.TextChoices):
    """Who asked for a message: with `source_id`, the row behind it."""

    CAMPAIGN = "campaign"
    AUTOMATION = "automation"
    API = "api"
    TEST = "test"


class MessageStatus(models.TextChoices):
    QUEUED = "queued"
    HELD = "held"  # its source is paused
    SENDING = "sending"
    SENT = "sent"
    REFUSED = "refused"  # policy said no; `reason` says why
    FAILED = "failed"
    UNCERTAIN = "uncertain"  # may have left the house; never sent again by itself
    CANCELLED = "cancelled"


class Priority(models.IntegerChoices):
    """Which waiting messages are claimed first."""

    AWAITED = 0, "Awaited by the contact"
    PROMPT = 1, "Prompt"
    BULK = 2, "Bulk"


class Message(OrganizationScoped):
    """One message to one contact on one channel."""

    idempotency_key = models.CharField(max_length=200)
    # Each index is written again at every change of status: the references have none of their own.
    contact = models.ForeignKey(
        Contact, on_delete=models.DO_NOTHING, related_name="messages", db_constraint=False, db_index=False
    )
    channel = models.CharField(max_length=10, choices=MessageChannel, default=MessageChannel.EMAIL)
    kind = models.CharField(max_length=15, choices=MessageKind, default=MessageKind.MARKETING)
    content = models.ForeignKey(Content, on_delete=models.PROTECT, db_constraint=False, db_index=False)
    topic = models.ForeignKey(Topic, null=True, on_delete=models.SET_NULL, db_constraint=False, db_index=False)
    source_type = models.CharField(max_length=12, choices=SourceType)
    source_id = models.BigIntegerField(default=0)
    sender = models.ForeignKey(Sender, null=True, on_delete=models.SET_NULL, db_constraint=False, db_index=False)
    utm_campaign = models.CharField(max_length=100, blank=True, default="", db_default="")
    priority = models.PositiveSmallIntegerField(choices=Priority, default=Priority.PROMPT, db_default=1)
    variables: models.JSONField[Any, Any] = models.JSONField(default=dict, db_default={})
    address = models.CharField(max_length=320, blank=True, default="", db_default="")
    status = models.CharField(max_length=12, choices=MessageStatus, default=MessageStatus.QUEUED, db_default="queued")
    reason = models.CharField(max_length=300, blank=True, default="", db_default="")
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0)
    run_at = models.DateTimeField(default=clock.now)
    lease_token = models.UUIDField(null=True, editable=False, help_text="The claim that has it.")
    claimed_at = models.DateTimeField(null=True, help_text="When policy let it go; caps count from here.")
    handed_at = models.DateTimeField(null=True, help_text="When it went to the provider.")
    provider_message_id = models.CharField(max_length=200, blank=True, default="", db_default="")
    created_at = models.DateTimeField(default=clock.now)
    sent_at = models.DateTimeField(null=True)
    opened_at = models.DateTimeField(null=True, help_text="First open by a person.")
    clicked_at = models.DateTimeField(null=True, help_text="First click by a person.")
    unsubscribed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization_id", "idempotency_key"], name="one_message_per_key")
        ]
        indexes = [
            models.Index(
                fields=["organization_id", "priority", "run_at", "id"],
                condition=Q(status="queued"),
                name="queued_messages",
            ),
            models.Index(fields=["organization_id", "source_type", "source_id", "status"], name="messages_by_source"),
            models.Index(fields=["organization_id", "contact", "-id"], name="messages_by_contact"),
            # Caps ask what a contact got in the last day, however long the history is.
            models.Index(
                fields=["organization_id", "contact", "claimed_at"],
                condition=Q(kind="marketing", claimed_at__isnull=False),
                name="messages_against_caps",
            ),
            # What left since when: budgets, reputation and the page of mailbox providers.
            models.Index(
                fields=["organization_id", "handed_at"],
                condition=Q(handed_at__isnull=False),
                name="messages_handed_over",
            ),
        ]

    def __str__(self) -> str:
        return f"message {self.pk}"


class Claim(OrganizationScoped):
    """A worker's lease on a block of messages, and which of them may have left the house.

    One row for hundreds of messages: what moves from flight to flight is written here and not in each message.
    """

    token = models.UUIDField(unique=True)
    message_ids = ArrayField(models.BigIntegerField())
    flying_ids = ArrayField(models.BigIntegerField(), default=list, help_text="Handed over, outcome not recorded.")
    flown_at = models.DateTimeField(null=True)
    lease_expires_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["organization_id", "lease_expires_at"], name="claims_by_lease")]

    def __str__(self) -> str:
        return f"claim {self.token}"


class Hold(OrganizationScoped):
    """A source whose messages must not go: paused, or cancelled for good. New messages of it are born so."""

    source_type = models.CharField(max_length=12, choices=SourceType)
    source_id = models.BigIntegerField()
    is_final = models.BooleanField(default=False, db_default=False, help_text="Cancelled.")
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization_id", "source_type", "source_id"], name="one_hold_per_source"
            )
        ]

    def __str__(self) -> str:
        return f"{self.source_type} {self.source_id}"


class Attempt(OrganizationScoped):
    """One try to hand a message to a provider, for messages whose first try did not simply succeed."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="attempt_log", db_constraint=False)
    happened_at = models.DateTimeField(default=clock.now)
    outcome = models.CharField(max_length=20)
    answer = models.TextField(blank=True, default="")

    def __str__(self) -> str:
        return f"{self.outcome} {self.message_id}"


class EngagementKind(models.TextChoices):
    OPEN = "open"
    CLICK = "click"
    UNSUBSCRIBE = "unsubscribe"
    BOUNCE = "bounce"
    COMPLAINT = "complaint"


class Engagement(OrganizationScoped):
    """What came back for a message."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="engagements", db_constraint=False)
    kind = models.CharField(max_length=12, choices=EngagementKind)
    url = models.TextField(blank=True, default="")
    is_machine = models.BooleanField(default=False)
    is_simulated = models.BooleanField(default=False, help_text="Drawn by the demo, not by a person.")
    user_agent = models.CharField(max_length=300, blank=True, default="")
    happened_at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [
            models.Index(fields=["organization_id", "message", "kind"], name="engagement_by_message"),
            models.Index(
                fields=["organization_id", "happened_at", "message"],
                condition=Q(kind__in=["bounce", "complaint"]),
                name="engagement_came_back",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.message_id}"


class DeliveryPolicy(OrganizationScoped):
    """An organisation's limits for marketing messages. One row per organisation; absent means the defaults."""

    most_per_day = models.PositiveSmallIntegerField(default=2)
    hours_between = models.PositiveSmallIntegerField(default=8)
    quiet_from = models.TimeField(default="21:00", help_text="In the contact's own time zone.")
    quiet_until = models.TimeField(default="08:00")
    requires_consent = models.BooleanField(default=True)

    class Meta:
        verbose_name_plural = "delivery policies"
        constraints = [models.UniqueConstraint(fields=["organization_id"], name="one_policy_per_organization")]

    def __str__(self) -> str:
        return "Delivery policy"


class MailboxMessage(OrganizationScoped):
    """A mail that the built-in mailbox took instead of a mail server."""

    sender = models.CharField(max_length=320)
    recipient = models.CharField(max_length=320)
    subject = models.TextField(blank=True, default="")
    body = models.BinaryField(help_text="The whole message as it came over SMTP.")
    size = models.PositiveIntegerField()
    received_at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [models.Index(fields=["organization_id", "-id"], name="mailbox_newest")]

    def __str__(self) -> str:
        return self.subject or "(no subject)"


# Models of the governor stand in a file of their own.
from delivery.models_deliverability import (  # noqa: E402 — Django looks for models here
    DkimKey,
    LaneDay,
    MailboxDomain,
    PauseScope,
    ReputationCheck,
    SendingDomain,
    SendingPause,
    SlowLane,
)

__all__ = [
    "Attempt", "Claim", "Content", "DeliveryPolicy", "DkimKey", "Engagement", "EngagementKind", "Hold", "LaneDay",
    "MailboxDomain", "MailboxMessage", "Message", "MessageKind", "MessageStatus", "PauseScope", "Priority",
    "ReputationCheck", "Sender", "SendingDomain", "SendingPause", "SlowLane", "SourceType",
]  # fmt: skip
