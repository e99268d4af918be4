"""E-mail templates, broadcasts and offers."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from audience.models import Contact, MessageChannel, Topic
from campaigns.models_snippets import Snippet, SnippetVersion, TemplateNeed  # noqa: F401 — models of this room
from common import clock
from common.models import WorkedRow
from common.tenancy import OrganizationScoped
from delivery.models import Content, MessageKind, Sender, Weight
from segments.models import Segment


class EmailTemplate(OrganizationScoped):
    """A draft that is edited, and the published content that is sent."""

    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=100)
    channel = models.CharField(
        max_length=10, choices=MessageChannel, default=MessageChannel.EMAIL, db_default="email", editable=False
    )
    fields: models.JSONField[Any, Any] = models.JSONField(
        default=dict, db_default={}, blank=True, help_text="What a message of another channel than e-mail says."
    )
    kind = models.CharField(max_length=15, choices=MessageKind, default=MessageKind.MARKETING)
    subject = models.CharField(max_length=300, blank=True, default="")
    preheader = models.CharField(max_length=200, blank=True, default="")
    blocks: models.JSONField[Any, Any] = models.JSONField(
        null=True, blank=True, help_text="The tree of domain/blocks; empty: the mail is written as HTML."
    )
    html = models.TextField(blank=True, default="", help_text="Jinja2, e.g. Hello {{ contact.name }}.")
    text = models.TextField(blank=True, default="", help_text="Empty: derived from the HTML.")
    text_basis = models.CharField(
        max_length=64,
        blank=True,
        default="",
        editable=False,
        help_text="Checksum of what the own text was written for.",
    )
    locale = models.CharField(max_length=20, blank=True, default="", help_text="Language of these words, e.g. en.")
    variants: models.JSONField[Any, Any] = models.JSONField(
        default=dict,
        blank=True,
        help_text='Other languages: {"de": {"subject", "preheader", "blocks" or "html", "text"}}.',
    )
    defaults: models.JSONField[Any, Any] = models.JSONField(default=dict, blank=True, help_text='{"name": "there"}')
    published = models.ForeignKey(
        "TemplateVersion", null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )
    published_edit = models.PositiveIntegerField(null=True, editable=False, help_text="The edit that is published.")
    is_archived = models.BooleanField(default=False)
    version = models.PositiveIntegerField(default=1, editable=False, help_text="Counts edits, to notice two at once.")
    created_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization_id", "slug"], name="one_template_per_slug")]

    def __str__(self) -> str:
        return self.name


class MessageTemplate(EmailTemplate):
    """The same drafts, as far as they are for other channels than e-mail."""

    class Meta:
        proxy = True
        verbose_name = "message template"

    def __str__(self) -> str:
        return self.name


class TemplateVersion(OrganizationScoped):
    """A published state of a template; never changed."""

    template = models.ForeignKey(EmailTemplate, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    content = models.ForeignKey(Content, on_delete=models.PROTECT, related_name="+")
    words: models.JSONField[Any, Any] = models.JSONField(
        default=dict, db_default={}, help_text="The draft as it was: to compare and to go back to."
    )
    snippets: models.JSONField[Any, Any] = models.JSONField(
        default=dict, db_default={}, help_text="Slug → number of each snippet that went into it."
    )
    author = models.CharField(max_length=200, blank=True, default="")
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["template", "number"], name="one_template_version_per_number")]

    def __str__(self) -> str:
        return f"{self.template} v{self.number}"


class CampaignStatus(models.TextChoices):
    DRAFT = "draft"
    SCHEDULED = "scheduled"
    ACTIVE = "active"
    PAUSED = "paused"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    ARCHIVED = "archived"


class Campaign(OrganizationScoped):
    """A broadcast to segments, or an offer shown to apps."""

    name = models.CharField(max_length=200)
    description = models.TextField(blank=True, default="")
    status = models.CharField(max_length=10, choices=CampaignStatus, default=CampaignStatus.DRAFT)
    template = models.ForeignKey(EmailTemplate, null=True, blank=True, on_delete=models.PROTECT)
    sender = models.ForeignKey(Sender, null=True, blank=True, on_delete=models.SET_NULL)
    topic = models.ForeignKey(Topic, null=True, blank=True, on_delete=models.SET_NULL)
    starts_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    messages_per_minute = models.PositiveIntegerField(null=True, blank=True, help_text="Empty: as fast as possible.")
    weight = models.PositiveSmallIntegerField(
        "importance", choices=Weight, default=Weight.NORMAL, db_default=20,
        help_text="When caps leave room for one message, the more important one goes.",
    )  # fmt: skip
    shelf_hours = models.PositiveIntegerField(
        "keeps for hours", null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(8760)],
        help_text="Messages that have not gone by then are not sent; until then they wait for room under the caps.",
    )  # fmt: skip
    holdout_percent = models.DecimalField(
        "held out, percent", max_digits=4, decimal_places=1, default=Decimal(0), db_default=Decimal(0),
        validators=[MinValueValidator(0), MaxValueValidator(50)],
        help_text="Drawn by chance and sent nothing, so that the effect can be measured.",
    )  # fmt: skip
    cost_minor = models.BigIntegerField(default=0, help_text="What the campaign costs, in minor units.")
    utm_campaign = models.SlugField(
        "UTM campaign", blank=True, default="", help_text="Goes into every link; empty: the campaign's name."
    )
    version = models.PositiveIntegerField(default=1, editable=False, help_text="Counts edits, to notice two at once.")
    created_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        indexes = [models.Index(fields=["organization_id", "status", "-id"], name="campaign_by_status")]

    def __str__(self) -> str:
        return self.name


class CampaignAudience(OrganizationScoped):
    """A segment that a campaign goes to, or must leave out."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="audience")
    segment = models.ForeignKey(Segment, on_delete=models.PROTECT, related_name="campaign_audiences")
    is_excluded = models.BooleanField("leave out", default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "segment"], name="one_audience_per_segment")]

    def __str__(self) -> str:
        return f"{'not ' if self.is_excluded else ''}{self.segment}"


class RunStatus(models.TextChoices):
    PENDING = "pending"
    HELD = "held"  # its campaign is paused
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"  # given up after many attempts; `error` says why, resuming tries again


class CampaignRun(WorkedRow):
    """One execution of a campaign: the snapshot of its audience and how far the messages are."""

    status = models.CharField(max_length=20, choices=RunStatus, default=RunStatus.PENDING, db_default="pending")
    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="runs")
    content = models.ForeignKey(Content, null=True, on_delete=models.PROTECT)
    snapshot_at = models.DateTimeField(null=True)
    target_count = models.PositiveIntegerField(default=0)
    queued_through_id = models.BigIntegerField(default=0, help_text="Targets up to this id have their messages.")
    is_queued = models.BooleanField(default=False, help_text="Every target has its message, or needs none.")
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["run_at"], condition=Q(status="pending"), name="campaign_runs_due")]

    def __str__(self) -> str:
        return f"{self.campaign} run {self.pk}"


class TargetStatus(models.TextChoices):
    ELIGIBLE = "eligible"
    VIEWED = "viewed"
    CONVERTED = "converted"


class Target(OrganizationScoped):
    """A contact in a campaign."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="targets", db_constraint=False)
    run = models.ForeignKey(
        CampaignRun, null=True, on_delete=models.CASCADE, related_name="targets", db_constraint=False
    )
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="targets", db_constraint=False)
    status = models.CharField(
        max_length=10, choices=TargetStatus, default=TargetStatus.ELIGIBLE, db_default="eligible"
    )
    created_at = models.DateTimeField(default=clock.now)
    viewed_at = models.DateTimeField(null=True)
    converted_at = models.DateTimeField(null=True)
    conversion_value_minor = models.BigIntegerField(null=True)
    conversion_currency = models.CharField(max_length=3, blank=True, default="", db_default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "contact"], name="one_target_per_contact")]
        indexes = [
            models.Index(fields=["organization_id", "run", "id"], name="target_by_run"),
            models.Index(fields=["organization_id", "contact"], condition=~Q(status="converted"), name="target_open"),
        ]

    def __str__(self) -> str:
        return f"{self.contact_id} in {self.campaign_id}"


class OfferKind(models.TextChoices):
    DISCOUNT = "discount"
    CASHBACK = "cashback"
    POINTS = "points"
    BONUS = "bonus"


class Offer(OrganizationScoped):
    """What a campaign offers to its targets in client apps."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="offers")
    kind = models.CharField(max_length=10, choices=OfferKind)
    value = models.DecimalField(max_digits=12, decimal_places=2)
    unit = models.CharField(max_length=20, default="percent", help_text="percent, currency code or points")
    code = models.CharField(max_length=60, blank=True, default="")
    expires_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.value:g} {self.unit} {self.kind}"


from campaigns.models_pictures import MailPicture  # noqa: E402,F401 — models of this room, told by noun
