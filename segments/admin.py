"""The segment's pages: list with size and state, form with the rule as checked JSON, and what came of it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from accounts.admin_base import OrganizationModelAdmin, ReadOnlyMixin
from audience.models import Contact
from common.errors import AppError
from segments import rules, services
from segments.forms import FIELDS, SegmentForm
from segments.models import Segment, SegmentKind, SelfAudit
from segments.pages import shell
from segments.pages.mixin import SegmentPages
from segments.patterns.admin import PatternSettingsAdmin  # noqa: F401 — registered beside segments


@admin.register(Segment)
class SegmentAdmin(SegmentPages, OrganizationModelAdmin):
    """Live groups of contacts."""

    form = SegmentForm
    list_display = ["name", "size", "state", "kind", "updated_at"]
    list_filter = ["kind", "status", "is_active"]
    search_fields = ["name", "slug", "description"]
    ordering = ["-pk"]
    empty_hint = "Describe a group of people by a rule, or collect them by hand: add your first segment here."
    change_form_outer_before_template = "segments/segment_top.html"
    delete_confirmation_template = "segments/delete.html"
    actions = ["build_again"]

    class Media:
        css = {"all": ["segments/segments.css"]}

    # --- list -----------------------------------------------------------------------------------------

    @admin.display(description="Contacts", ordering="member_count")
    def size(self, segment: Segment) -> SafeString:
        people = f"{segment.member_count:,}"
        return format_html('<a href="{}">{}</a>', shell.address(segment, "members"), people)

    @admin.display(description="State", ordering="status")
    def state(self, segment: Segment) -> SafeString:
        return shell.badge(segment)

    @admin.action(description="Look at everybody again", permissions=["change"])
    def build_again(self, request: HttpRequest, queryset: QuerySet[Segment]) -> None:
        """Static and inactive segments are passed over, and the message says so."""
        asked = 0
        for segment in queryset:
            try:
                services.request_rebuild(segment)
                asked += 1
            except AppError as error:
                messages.warning(request, f"{segment.name}: {error.message}")
        if asked:
            messages.success(request, f"{asked} to be built; their present contacts stay until that is done.")

    # --- form -----------------------------------------------------------------------------------------

    def get_fields(self, request: HttpRequest, obj: Segment | None = None) -> list[str]:
        if obj is not None and obj.kind == SegmentKind.STATIC:
            return [*FIELDS, "kind"]
        return ["name", "kind", "rule", "slug", "description", "tags", "is_active"]

    def get_readonly_fields(self, request: HttpRequest, obj: Segment | None = None) -> list[str]:
        return [] if obj is None else ["kind"]

    def save_model(self, request: HttpRequest, obj: Segment, form: SegmentForm, change: bool) -> None:
        if change:
            services.update_segment(obj, **form.values())
        else:
            obj.pk = services.create_segment(**form.values()).pk

    def delete_model(self, request: HttpRequest, obj: Segment) -> None:
        services.delete_segment(obj)

    def page_context(self, request: HttpRequest, segment: Segment) -> dict[str, Any]:
        return {
            "segment": segment,
            "tabs": shell.tabs(segment, "change"),
            "badge": shell.badge(segment),
            "sentence": rules.describe(segment.rule) if segment.rule else "",
        }


@admin.register(SelfAudit)
class SelfAuditAdmin(ReadOnlyMixin, OrganizationModelAdmin):
    """The nights in which stored memberships were compared with their rules."""

    class Media:
        css = {"all": ["segments/segments.css"]}

    list_display = ["ran_at", "verdict", "contacts", "segments"]
    fields = ["ran_at", "verdict", "contacts", "segments", "wrong"]
    ordering = ["-ran_at"]
    empty_hint = (
        "Every night at four, memberships are compared with what their rules say; the first night is to come."
    )

    @admin.display(description="Result", ordering="difference_count")
    def verdict(self, audit: SelfAudit) -> SafeString:
        count = audit.difference_count
        if not count:
            return format_html('<span class="gs-badge gs-badge--good">{}</span>', "all as their rules say")
        return format_html('<span class="gs-badge gs-badge--critical">{} wrong</span>', f"{count:,}")

    @admin.display(description="Contacts looked at", ordering="contact_count")
    def contacts(self, audit: SelfAudit) -> str:
        return f"{audit.contact_count:,}"

    @admin.display(description="Segments", ordering="segment_count")
    def segments(self, audit: SelfAudit) -> str:
        return f"{audit.segment_count:,}"

    @admin.display(description="What now")
    def wrong(self, audit: SelfAudit) -> SafeString:
        """Each wrong membership with the page that says why."""
        if not audit.differences:
            return format_html("{}", "Nothing: every membership that was looked at is what its rule says.")
        pairs = [(row["segment"], row["contact"]) for row in audit.differences]
        segments = Segment.objects.in_bulk([segment for segment, _ in pairs])
        contacts = Contact.objects.in_bulk([contact for _, contact in pairs])
        rows = [
            (shell.address(segments[segment], "why", contact=contact), contacts[contact], segments[segment])
            for segment, contact in pairs
            if segment in segments and contact in contacts
        ]
        return format_html(
            "<p>These are put right by now; others may be wrong in the same way. See why, then choose “Look at "
            "everybody again” for the segment in the list of segments.</p>"
            '<ul class="seg-list">{}</ul>',
            format_html_join("", '<li><a href="{}">{}</a> in “{}”</li>', rows),
        )
