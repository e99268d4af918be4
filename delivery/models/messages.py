"""The ledger of messages: one row per contact and message, written before anything leaves the house."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from audience.models import Contact, MessageChannel, Topic
from common import clock
from common.tenancy import OrganizationScoped
from delivery.models.content import Content, MessageKind
from delivery.models.providers import Provider
from delivery.models.senders import Sender


class SourceType(models.TextChoices):
    """Who asked for a message: with `source_id`, the row behind it."""

    CAMPAIGN = "campaign"
    AUTOMATION = "automation"
    API = "api"
    TEST = "test"
    CONFIRMATION = "confirmation"  # the mail of a double opt-in; `source_id` is the request


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


class Weight(models.IntegerChoices):
    """Which of several messages goes when a cap leaves room for one."""

    LOW = 10, "Low"
    NORMAL = 20, "Normal"
    HIGH = 30, "High"
    HIGHEST = 40, "Highest"


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
    account = models.ForeignKey(
        Provider,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_constraint=False,
        db_index=False,
        help_text="Whereto it was handed last; empty for EMAIL_URL, and for push, which has several at once.",
    )
    utm_campaign = models.CharField(max_length=100, blank=True, default="", db_default="")
    priority = models.PositiveSmallIntegerField(choices=Priority, default=Priority.PROMPT, db_default=1)
    weight = models.PositiveSmallIntegerField(choices=Weight, default=Weight.NORMAL, db_default=20)
    expires_at = models.DateTimeField(null=True, help_text="Not sent any more from then on.")
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
    parts = models.PositiveSmallIntegerField(
        default=1, db_default=1, help_text="How many times it paid its channel's price: the segments of an SMS."
    )
    created_at = models.DateTimeField(default=clock.now)
    sent_at = models.DateTimeField(null=True)
    opened_at = models.DateTimeField(null=True, help_text="First open by a person.")
    clicked_at = models.DateTimeField(null=True, help_text="First click by a person.")
    unsubscribed_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True, help_text="Taken by the contact's mail server, says the provider.")
    bounced_at = models.DateTimeField(null=True)
    complained_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization_id", "idempotency_key"], name="one_message_per_key")
        ]
        indexes = [
            models.Index(
                fields=["organization_id", "channel", "priority", "run_at", "id"],
                condition=Q(status="queued"),
                name="queued_messages",
            ),
            models.Index(
                fields=["organization_id", "id"], condition=Q(status="uncertain"), name="uncertain_messages"
            ),
            models.Index(fields=["organization_id", "source_type", "source_id", "status"], name="messages_by_source"),
            models.Index(fields=["organization_id", "contact", "-id"], name="messages_by_contact"),
            # Caps ask what a contact got in the last days, however long the history is.
            models.Index(
                fields=["organization_id", "contact", "claimed_at"],
                condition=~Q(kind="transactional") & Q(claimed_at__isnull=False),
                name="messages_against_caps",
            ),
            # What left since when: budgets, reputation and the page of mailbox providers.
            models.Index(
                fields=["organization_id", "handed_at"],
                condition=Q(handed_at__isnull=False),
                name="messages_handed_over",
            ),
            # What else waits for the contacts of a block.
            models.Index(
                fields=["organization_id", "contact"],
                condition=Q(status="queued") & ~Q(kind="transactional"),
                name="queued_by_contact",
            ),
        ]

    def __str__(self) -> str:
        return f"message {self.pk}"

    @property
    def has_pictures(self) -> bool:
        """Whether it tells when it is opened."""
        return self.channel == MessageChannel.EMAIL


class Claim(OrganizationScoped):
    """A worker's lease on a block of messages, and which of them may have left the house.

    One row for hundreds of messages: what moves from flight to flight is written here and not in each message.
    """

    token = models.UUIDField(unique=True)
    message_ids = ArrayField(models.BigIntegerField())
    flying_ids = ArrayField(models.BigIntegerField(), default=list, help_text="Handed over, outcome not recorded.")
    flown_at = models.DateTimeField(null=True)
    account_id = models.BigIntegerField(null=True, help_text="The account at a provider to which those went.")
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
    """One try to hand a message to a provider, for messages whose first try did not simply succeed;
    of push messages one for each device."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="attempt_log", db_constraint=False)
    happened_at = models.DateTimeField(default=clock.now)
    outcome = models.CharField(max_length=20)
    answer = models.TextField(blank=True, default="")
    device = models.CharField(max_length=40, blank=True, default="", db_default="", help_text="Of a push message.")

    def __str__(self) -> str:
        return f"{self.outcome} {self.message_id}"
