"""Drafts of messages, and what is published of them."""

from __future__ import annotations

from typing import Any

from django.db import models

from audience.models import MessageChannel
from common import clock
from common.tenancy import OrganizationScoped
from delivery.models import Content, MessageKind


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
