"""Snippets: blocks that many mails share; and what a template needs that must not be deleted."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q

from common import clock
from common.tenancy import OrganizationScoped
from segments.models import Segment


class Snippet(OrganizationScoped):
    """Blocks that many templates share: a draft, and what is put into mails."""

    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=100)
    blocks: models.JSONField[Any, Any] = models.JSONField(default=list, blank=True, help_text="A list of blocks.")
    variants: models.JSONField[Any, Any] = models.JSONField(
        default=dict, db_default={}, blank=True, help_text='Other languages: {"de": [blocks]}.'
    )
    published = models.ForeignKey(
        "SnippetVersion", null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )
    published_edit = models.PositiveIntegerField(null=True, editable=False, help_text="The edit that is published.")
    version = models.PositiveIntegerField(default=1, editable=False, help_text="Counts edits, to notice two at once.")
    created_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization_id", "slug"], name="one_snippet_per_slug")]

    def __str__(self) -> str:
        return self.name

    @property
    def has_unpublished_changes(self) -> bool:
        """Whether the draft is another than what mails take in."""
        return self.published_id is None or self.published_edit != self.version


class SnippetVersion(OrganizationScoped):
    """A published state of a snippet; never changed."""

    snippet = models.ForeignKey(Snippet, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    blocks: models.JSONField[Any, Any] = models.JSONField()
    variants: models.JSONField[Any, Any] = models.JSONField(default=dict, db_default={})
    author = models.CharField(max_length=200, blank=True, default="")
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["snippet", "number"], name="one_snippet_version_per_number")]

    def __str__(self) -> str:
        return f"{self.snippet} v{self.number}"


class TemplateNeed(OrganizationScoped):
    """A segment or snippet that a template's draft or published version names: it cannot be deleted meanwhile.

    Of an archived template only the snippets.
    """

    template = models.ForeignKey("campaigns.EmailTemplate", on_delete=models.CASCADE, related_name="needs")
    segment = models.ForeignKey(Segment, null=True, on_delete=models.PROTECT, related_name="template_needs")
    snippet = models.ForeignKey(Snippet, null=True, on_delete=models.PROTECT, related_name="template_needs")

    class Meta:
        verbose_name = "use in an e-mail template"
        constraints = [
            models.UniqueConstraint(
                fields=["template", "segment"], condition=Q(segment__isnull=False), name="one_need_per_segment"
            ),
            models.UniqueConstraint(
                fields=["template", "snippet"], condition=Q(snippet__isnull=False), name="one_need_per_snippet"
            ),
            models.CheckConstraint(
                condition=Q(segment__isnull=True) ^ Q(snippet__isnull=True), name="a_need_is_one_thing"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.template_id} needs {self.segment_id or self.snippet_id}"
