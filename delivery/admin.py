"""The ledger, content, senders and limits in the admin."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from unfold.decorators import display

from accounts.admin_base import OrganizationModelAdmin, ReadOnlyMixin, TabularInline
from delivery import admin_deliverability, admin_limits, admin_prices, admin_providers, admin_reports, services
from delivery.models import Attempt, Content, Engagement, Message, MessageStatus, Sender
from delivery.services import policy

__all__ = [
    "admin_deliverability",
    "admin_limits",
    "admin_prices",
    "admin_providers",
    "admin_reports",
]  # their pages register themselves

STATUS_COLOURS = {
    "queued": "info",
    "held": "warning",
    "sending": "info",
    "sent": "success",
    "refused": "warning",
    "failed": "danger",
    "uncertain": "danger",
    "cancelled": "default",
}


class AttemptInline(ReadOnlyMixin, TabularInline):
    model = Attempt
    fields = ["happened_at", "outcome", "answer"]
    readonly_fields = fields
    ordering = ["-pk"]


class EngagementInline(ReadOnlyMixin, TabularInline):
    model = Engagement
    fields = ["happened_at", "kind", "url", "is_machine", "is_simulated", "user_agent"]
    readonly_fields = fields
    ordering = ["-pk"]


class EngagedFilter(admin.SimpleListFilter):
    """What came back for a message, people and machines apart. Plan: a probe of engagement_by_message per row."""

    title = "what came back"
    parameter_name = "engaged"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("open", "Opened"),
            ("click", "Clicked"),
            ("unsubscribe", "Unsubscribed"),
            ("bounce", "Bounced"),
            ("complaint", "Complained"),
            ("machine_open", "Fetched by a proxy"),
            ("machine_click", "Checked by a scanner"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Message]) -> QuerySet[Message]:
        moments = {"open": "opened_at", "click": "clicked_at", "unsubscribe": "unsubscribed_at"}
        wanted = self.value()
        if wanted in moments:
            return queryset.filter(**{f"{moments[wanted]}__isnull": False})
        if wanted not in dict(self.lookups(request, None)):
            return queryset
        engaged = Engagement.objects.filter(message=OuterRef("pk"), kind=wanted.removeprefix("machine_"))
        return queryset.filter(Exists(engaged.filter(is_machine=True) if "machine" in wanted else engaged))


class RefusalFilter(admin.SimpleListFilter):
    """Refusals of policy by their sentence; reasons that a mail server gave are found by searching."""

    title = "refusal"
    parameter_name = "reason"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(sentence, sentence) for sentence in policy.REFUSALS]

    def queryset(self, request: HttpRequest, rows: QuerySet[Message]) -> QuerySet[Message]:
        return rows.filter(status=MessageStatus.REFUSED, reason__startswith=self.value()) if self.value() else rows


@admin.register(Message)
class MessageAdmin(ReadOnlyMixin, OrganizationModelAdmin):
    """Read only; uncertain messages are decided by two actions."""

    empty_hint = "Send a campaign or start an automation; every message it writes is listed here."
    list_display = ["address_or_contact", "content_name", "shown_status", "reason", "source", "sent_at", "opened_at"]
    list_filter = [
        "status", "account", "channel", EngagedFilter, RefusalFilter, "source_type", "kind",
        *admin_deliverability.FILTERS,
    ]  # fmt: skip
    search_fields = ["address", "contact__email", "idempotency_key", "reason"]
    list_select_related = ["contact", "content"]
    ordering = ["-pk"]
    date_hierarchy = None
    actions = ["mark_as_sent", "send_again"]
    inlines = [EngagementInline, admin_reports.ReportInline, AttemptInline]
    exclude = ["lease_token", "variables"]
    change_form_outer_before_template = "delivery/message_top.html"

    @display(description="To", ordering="address")
    def address_or_contact(self, message: Message) -> str:
        return message.address or str(message.contact)

    @display(description="Content")
    def content_name(self, message: Message) -> str:
        return message.content.name

    @display(description="Status", ordering="status", label=STATUS_COLOURS)
    def shown_status(self, message: Message) -> tuple[str, str]:
        return message.status, message.get_status_display()

    @display(description="From")
    def source(self, message: Message) -> str:
        return f"{message.get_source_type_display()} {message.source_id or ''}".strip()

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("delivery.change_message"))

    @admin.action(description="Uncertain: mark as sent", permissions=["decide"])
    def mark_as_sent(self, request: HttpRequest, chosen: QuerySet[Message]) -> None:
        self._decide(request, chosen, as_sent=True)

    @admin.action(description="Uncertain: send again (the contact may get it twice)", permissions=["decide"])
    def send_again(self, request: HttpRequest, chosen: QuerySet[Message]) -> None:
        self._decide(request, chosen, as_sent=False)

    def _decide(self, request: HttpRequest, chosen: QuerySet[Message], *, as_sent: bool) -> None:
        count = services.resolve_uncertain(list(chosen.values_list("pk", flat=True)), as_sent=as_sent)
        left = chosen.count() - count
        said = "marked as sent" if as_sent else "waiting to be sent again"
        messages.success(request, f"{count:,} uncertain messages are {said}.")
        if left:
            messages.warning(request, f"{left:,} of the chosen messages were not uncertain and stay as they are.")


@admin.register(Content)
class ContentAdmin(ReadOnlyMixin, OrganizationModelAdmin):
    """What was published, as it is sent; it never changes."""

    empty_hint = "Publish an e-mail template; what it says is kept here for good."
    list_display = ["name", "subject", "kind", "channel", "created_at"]
    list_filter = ["kind", "channel"]
    search_fields = ["name", "subject"]
    ordering = ["-pk"]
    fields = ["name", "subject", "preheader", "preview", "kind", "channel", "defaults", "text", "html", "created_at"]
    readonly_fields = ["preview"]

    @display(description="Preview")
    def preview(self, content: Content) -> str:
        return format_html(
            '<iframe class="mail-frame" title="Preview" sandbox referrerpolicy="no-referrer" srcdoc="{}"></iframe>',
            content.html,
        )

    class Media:
        css = {"all": ["delivery.css"]}


@admin.register(Sender)
class SenderAdmin(OrganizationModelAdmin):
    empty_hint = "Add the name and address that your e-mail comes from."
    list_display = ["name", "address", "reply_to", "provider", "is_default"]
    list_select_related = ["provider"]
    search_fields = ["name", "address"]

    def save_model(self, request: HttpRequest, obj: Sender, form: Any, change: bool) -> None:
        services.save_sender(obj)

    def delete_model(self, request: HttpRequest, obj: Sender) -> None:
        services.delete_sender(obj)


@admin.register(Engagement)
class EngagementAdmin(ReadOnlyMixin, OrganizationModelAdmin):
    empty_hint = "Opens, clicks and unsubscribes of messages that were sent appear here."
    list_display = ["happened_at", "kind", "to", "url", "is_machine", "is_simulated"]
    list_filter = ["kind", "is_machine", "is_simulated"]
    search_fields = ["message__address", "url"]
    list_select_related = ["message"]
    ordering = ["-pk"]
    exclude: list[str] = []

    @display(description="Message")
    def to(self, row: Engagement) -> str:
        address = reverse("admin:delivery_message_change", args=[row.message_id])
        return format_html('<a href="{}">{}</a>', address, row.message.address or row.message)
