"""People, what they do, and what they allowed us (vocabulary: docs/glossary.md)."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.db.models.fields.composite import CompositePrimaryKey

from accounts.models import Member
from audience.models_predictions import Band, ContactPrediction, PredictionDefinition, PredictionUnit
from common import clock
from common.models import WorkStatus
from common.tenancy import OrganizationScoped

__all__ = [
    "AttributeDefinition",
    "AttributeType",
    "Band",
    "Consent",
    "ConsentState",
    "Contact",
    "ContactPrediction",
    "Event",
    "EventDefinition",
    "EventKey",
    "Identity",
    "IdentityKind",
    "Import",
    "IngestBatch",
    "Merge",
    "MessageChannel",
    "PredictionDefinition",
    "PredictionUnit",
    "Priority",
    "Protocol",
    "RejectedEvent",
    "Suppression",
    "Topic",
]


class Priority(models.TextChoices):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    URGENT = "urgent"


class Contact(OrganizationScoped):
    """A person we know. A merged contact stays as a pointer to the one that survived."""

    name = models.CharField(max_length=300, blank=True, default="", db_default="")
    email = models.CharField(max_length=320, blank=True, default="", db_default="")
    phone = models.CharField(max_length=40, blank=True, default="", db_default="")
    user_id = models.CharField(
        max_length=300, blank=True, default="", db_default="", help_text="The client's own id."
    )
    status = models.CharField(max_length=40, default="new", db_default="new")
    priority = models.CharField(max_length=10, choices=Priority, default=Priority.MEDIUM, db_default="medium")
    source = models.CharField(max_length=100, blank=True, default="", db_default="")
    value_minor = models.BigIntegerField(default=0, db_default=0, help_text="Value estimate in minor units.")
    currency = models.CharField(max_length=3, blank=True, default="", db_default="")
    city = models.CharField(max_length=100, blank=True, default="", db_default="")
    region = models.CharField(max_length=100, blank=True, default="", db_default="")
    country = models.CharField(max_length=60, blank=True, default="", db_default="")
    timezone = models.CharField(max_length=64, blank=True, default="", db_default="")
    locale = models.CharField(max_length=20, blank=True, default="", db_default="")
    assignee = models.ForeignKey(Member, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    tags: ArrayField[Any, Any] = ArrayField(models.CharField(max_length=100), default=list, blank=True, db_default=[])
    attributes: models.JSONField[Any, Any] = models.JSONField(default=dict, blank=True, db_default={})
    first_seen_at = models.DateTimeField(default=clock.now)
    last_seen_at = models.DateTimeField(default=clock.now)
    created_at = models.DateTimeField(default=clock.now)
    updated_at = models.DateTimeField(default=clock.now)
    merged_into = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, editable=False)
    # When the fields above were last said: at `traits_at`, but for those named in `trait_times`
    # (audience.domain.attributes.Times). Late news does not overwrite newer.
    traits_at = models.DateTimeField(null=True, editable=False)
    trait_times: models.JSONField[Any, Any] = models.JSONField(default=dict, editable=False, db_default={})

    class Meta:
        # No index on last_seen_at: it changes with every visit, and without one the change stays on its page (HOT).
        indexes = [
            models.Index(fields=["organization_id", "email"], name="contact_by_email"),
            models.Index(fields=["organization_id", "-id"], condition=Q(merged_into=None), name="contact_living"),
            GinIndex(fields=["tags"], name="contact_by_tag"),
        ]

    def __str__(self) -> str:
        return self.name or self.email or self.user_id or f"Anonymous {self.pk}"


class IdentityKind(models.TextChoices):
    USER_ID = "user_id"
    EMAIL = "email"
    PHONE = "phone"
    DEVICE_ID = "device_id"
    ANONYMOUS_ID = "anonymous_id"


class Identity(OrganizationScoped):
    """A name under which a contact arrives: one contact per kind and value."""

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="identities", db_constraint=False)
    kind = models.CharField(max_length=20, choices=IdentityKind)
    value = models.CharField(max_length=320)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name_plural = "identities"
        constraints = [
            models.UniqueConstraint(fields=["organization_id", "kind", "value"], name="one_contact_per_identity")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.value}"


class DeviceKind(models.TextChoices):
    WEB_PUSH = "web_push", "Browser"
    FCM = "fcm", "Phone or tablet"


class Device(OrganizationScoped):
    """A browser or an app of a contact that push messages can reach, by the token its push service gave it."""

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="devices", db_constraint=False)
    kind = models.CharField(max_length=10, choices=DeviceKind)
    token = models.CharField(
        max_length=1000, help_text="The endpoint of a browser, the registration token of an app."
    )
    keys: models.JSONField[Any, Any] = models.JSONField(default=dict, help_text="Of a browser: p256dh and auth.")
    platform = models.CharField(max_length=60, blank=True, default="", help_text="As the device told: iOS, Chrome …")
    created_at = models.DateTimeField(default=clock.now)
    last_seen_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization_id", "kind", "token"], name="one_device_per_token")
        ]
        indexes = [models.Index(fields=["organization_id", "contact"], name="device_by_contact")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.platform}".strip()


class Merge(OrganizationScoped):
    """Two contacts found to be one person: which one went, which stayed, and why."""

    merged = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="merges_away", db_constraint=False)
    survivor = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="merges_in", db_constraint=False)
    reason = models.CharField(max_length=300)
    event_count = models.PositiveIntegerField(default=0)
    snapshot: models.JSONField[Any, Any] = models.JSONField(default=dict, help_text="The merged contact as it was.")
    happened_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return f"{self.merged_id} into {self.survivor_id}"


class AttributeType(models.TextChoices):
    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    LIST = "list"
    OBJECT = "object"


class AttributeDefinition(OrganizationScoped):
    """A custom attribute of contacts and the type it was first seen with."""

    name = models.CharField(max_length=100)
    type = models.CharField(max_length=10, choices=AttributeType)
    description = models.CharField(max_length=300, blank=True, default="")
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization_id", "name"], name="one_attribute_per_name")]

    def __str__(self) -> str:
        return self.name


class EventDefinition(OrganizationScoped):
    """A kind of event and the properties it was seen with (`{"total": "number"}`)."""

    name = models.CharField(max_length=200)
    properties: models.JSONField[Any, Any] = models.JSONField(default=dict, blank=True)
    description = models.CharField(max_length=300, blank=True, default="")
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization_id", "name"], name="one_definition_per_event")]

    def __str__(self) -> str:
        return self.name


class Protocol(models.TextChoices):
    SEGMENT = "segment"
    POSTHOG = "posthog"
    INTERNAL = "internal"


class IngestBatch(OrganizationScoped):
    """One accepted request, as it came: durable before the answer, worked later in sets."""

    protocol = models.CharField(max_length=10, choices=Protocol)
    body = models.BinaryField()
    received_at = models.DateTimeField(default=clock.now)
    event_count = models.PositiveIntegerField(default=0)
    status = models.CharField(max_length=10, choices=WorkStatus, default=WorkStatus.PENDING, db_default="pending")
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0)
    run_at = models.DateTimeField(default=clock.now)
    processed_at = models.DateTimeField(null=True)
    error = models.TextField(default="", db_default="")

    class Meta:
        verbose_name_plural = "ingest batches"
        indexes = [
            models.Index(fields=["organization_id", "id"], condition=Q(status="pending"), name="pending_batches"),
        ]

    def __str__(self) -> str:
        return f"batch {self.pk}"


class RejectedEvent(OrganizationScoped):
    """An event that was accepted over the wire and could not be used: kept with the reason, can be replayed."""

    batch = models.ForeignKey(IngestBatch, null=True, on_delete=models.SET_NULL, db_constraint=False)
    protocol = models.CharField(max_length=10, choices=Protocol)
    code = models.CharField(max_length=60)
    reason = models.TextField()
    body: models.JSONField[Any, Any] = models.JSONField()
    received_at = models.DateTimeField(default=clock.now)
    replayed_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.code} #{self.pk}"


class Event(models.Model):
    """What a contact did, or a message did to them. Partitioned by month of `happened_at`; made by migration 0002."""

    pk = CompositePrimaryKey("id", "happened_at")
    id = models.BigIntegerField(editable=False)
    organization_id = models.BigIntegerField(editable=False)
    contact = models.ForeignKey(Contact, on_delete=models.DO_NOTHING, related_name="events", db_constraint=False)
    identity = models.ForeignKey(
        Identity, null=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+"
    )
    definition = models.ForeignKey(EventDefinition, on_delete=models.DO_NOTHING, db_constraint=False)
    message_key = models.UUIDField()
    happened_at = models.DateTimeField()
    received_at = models.DateTimeField()
    properties: models.JSONField[Any, Any] = models.JSONField()
    context: models.JSONField[Any, Any] = models.JSONField()
    value_minor = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3, null=True)

    class Meta:
        managed = False
        db_table = "audience_event"

    def __str__(self) -> str:
        return f"event {self.id}"


class EventKey(OrganizationScoped):
    """Message ids that were counted already; the id is kept as a UUID. Made by migration 0002."""

    pk = CompositePrimaryKey("organization_id", "message_key")
    message_key = models.UUIDField()

    class Meta:
        managed = False
        db_table = "audience_eventkey"

    def __str__(self) -> str:
        return str(self.message_key)


class MessageChannel(models.TextChoices):
    """How we may talk to a contact. Consent and delivery share the word."""

    EMAIL = "email"
    SMS = "sms", "SMS"
    WHATSAPP = "whatsapp", "WhatsApp"
    PUSH = "push"
    IN_APP = "in_app", "In-app"
    SLACK = "slack"
    WEBHOOK = "webhook"


class OptIn(models.TextChoices):
    """Whether a new yes must be confirmed by a link in a mail."""

    USUAL = "usual", "As the organisation does"
    SINGLE = "single", "At once"
    DOUBLE = "double", "After a click in a confirmation mail"


class Topic(OrganizationScoped):
    """What messages are about; a contact may want one topic and not another."""

    name = models.CharField(max_length=100)
    slug = models.SlugField()
    description = models.CharField(max_length=300, blank=True, help_text="What people get, as they read it.")
    opt_in = models.CharField("subscribes", max_length=10, choices=OptIn, default=OptIn.USUAL, db_default="usual")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization_id", "slug"], name="one_topic_per_slug")]

    def __str__(self) -> str:
        return self.name


class ConsentState(models.TextChoices):
    GRANTED = "granted"
    WITHDRAWN = "withdrawn"


class Consent(OrganizationScoped):
    """One entry of the consent ledger, never changed. Which one counts: `selectors.LATEST_CONSENT`."""

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="consents", db_constraint=False)
    channel = models.CharField(max_length=10, choices=MessageChannel)
    topic = models.ForeignKey(Topic, null=True, blank=True, on_delete=models.CASCADE, help_text="Empty: all topics.")
    state = models.CharField(max_length=10, choices=ConsentState)
    how = models.CharField(max_length=100, help_text="Form, import, unsubscribe link, one-click …")
    wording = models.TextField(blank=True, default="", help_text="What the person agreed to, word for word.")
    proof: models.JSONField[Any, Any] = models.JSONField(default=dict, blank=True)
    happened_at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [
            models.Index(fields=["organization_id", "contact", "channel", "-happened_at"], name="consent_latest")
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.state}"


class Suppression(OrganizationScoped):
    """An address we must not send to, whatever was agreed."""

    channel = models.CharField(max_length=10, choices=MessageChannel)
    address = models.CharField(max_length=320)
    reason = models.CharField(max_length=100)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization_id", "channel", "address"], name="one_suppression_per_address"
            )
        ]

    def __str__(self) -> str:
        return self.address


class Import(OrganizationScoped):
    """One file on its way in; `position` says where to go on after an interruption."""

    kind = models.CharField(max_length=10, choices=[("contacts", "Contacts"), ("events", "Events")])
    file_name = models.CharField(max_length=300)
    file_hash = models.CharField(max_length=64)
    mapping: models.JSONField[Any, Any] = models.JSONField(default=dict)
    position = models.BigIntegerField(default=0, help_text="Rows taken so far.")
    accepted_count = models.BigIntegerField(default=0)
    rejected_count = models.BigIntegerField(default=0)
    started_at = models.DateTimeField(default=clock.now)
    finished_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.file_name


# Tables that point at those above, in a file of their own.
from audience.models_opt_in import ConsentRequest as ConsentRequest  # noqa: E402
from audience.models_opt_in import OptInSettings as OptInSettings  # noqa: E402
