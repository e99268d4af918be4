"""What providers reported: each thing that was said, and requests that could not be read."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from unfold.decorators import display

from accounts.admin_base import OrganizationModelAdmin, ReadOnlyMixin, TabularInline
from delivery import services
from delivery.models import ProviderCall, ProviderReport

SHOWN_BYTES = 20_000


class ReportInline(ReadOnlyMixin, TabularInline):
    """On the page of a message: what its provider said of it."""

    model = ProviderReport
    verbose_name_plural = "Reports of the provider"
    fields = ["happened_at", "kind", "finding", "answer", "received_at"]
    readonly_fields = fields
    ordering = ["happened_at", "pk"]


@admin.register(ProviderReport)
class ProviderReportAdmin(ReadOnlyMixin, OrganizationModelAdmin):
    empty_hint = "Paste an account's address for reports at the provider; what it says of messages is listed here."
    list_display = ["happened_at", "kind", "finding", "address", "about", "answer"]
    list_filter = ["kind", "finding", "account"]
    search_fields = ["address", "provider_message_id"]
    ordering = ["-pk"]
    exclude = ["key"]

    @display(description="Message")
    def about(self, row: ProviderReport) -> str:
        if row.message_id is None:
            return "none of ours"
        return format_html(
            '<a href="{}">{}</a>', reverse("admin:delivery_message_change", args=[row.message_id]), row.message_id
        )


@admin.register(ProviderCall)
class ProviderCallAdmin(ReadOnlyMixin, OrganizationModelAdmin):
    empty_hint = "Requests of providers are kept here as they came, and read at once."
    list_display = ["received_at", "kind", "account", "status", "report_count", "error"]
    list_filter = ["status", "kind"]
    list_select_related = ["account"]
    ordering = ["-pk"]
    actions = ["read_again"]
    fields = ["received_at", "kind", "account", "status", "attempts", "error", "report_count", "content_type", "said"]
    readonly_fields = ["said"]

    @display(description="Body")
    def said(self, call: ProviderCall) -> str:
        text = bytes(call.body[:SHOWN_BYTES]).decode("utf-8", "replace")
        return format_html('<pre class="gs-code">{}</pre>', text)

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("delivery.change_message"))

    @admin.action(description="Unreadable: read again", permissions=["replay"])
    def read_again(self, request: HttpRequest, chosen: QuerySet[Any]) -> None:
        count = services.replay(list(chosen.values_list("pk", flat=True)))
        messages.success(request, f"{count:,} requests are read again.")
