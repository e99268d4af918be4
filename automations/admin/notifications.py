"""What colleagues are told by workflows."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from accounts.admin_base import OrganizationModelAdmin, ReadOnlyMixin
from automations import services
from automations.admin.parts import badge, own_member
from automations.models import Notification


@admin.register(Notification)
class NotificationAdmin(ReadOnlyMixin, OrganizationModelAdmin):
    """Everybody sees their own."""

    list_display = ["message", "news", "contact", "automation", "created_at"]
    list_display_links = None
    search_fields = ["message", "contact__name", "contact__email"]
    list_select_related = ["contact", "automation"]
    ordering = ["-pk"]
    actions = ["read"]
    empty_hint = "Nobody told you anything yet. The step Notify a colleague leaves its word here."

    def get_queryset(self, request: HttpRequest) -> QuerySet[Notification]:
        return super().get_queryset(request).filter(member=own_member(request), member__isnull=False)

    @admin.display(description="New", ordering="read_at")
    def news(self, notification: Notification) -> SafeString | str:
        return badge("new", "good") if notification.read_at is None else ""

    def has_read_permission(self, request: HttpRequest) -> bool:
        return own_member(request) is not None

    @admin.action(description="Mark as read", permissions=["read"])
    def read(self, request: HttpRequest, chosen: QuerySet[Any]) -> None:
        count = services.read_notifications(list(chosen.values_list("pk", flat=True)))
        messages.success(request, f"{count:,} {'is' if count == 1 else 'are'} read.")
