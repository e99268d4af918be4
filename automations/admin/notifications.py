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


class WhoseFilter(admin.SimpleListFilter):
    """One's own, unless one asks for everybody's."""

    title = "whose"
    parameter_name = "whose"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("everybody", "Everybody's")]

    def choices(self, changelist: Any) -> Any:
        mine, *others = super().choices(changelist)
        return [{**mine, "display": "Mine"}, *others]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Notification]) -> QuerySet[Notification]:
        return queryset if self.value() == "everybody" else _own(request, queryset)


def _own(request: HttpRequest, rows: QuerySet[Notification]) -> QuerySet[Notification]:
    return rows.filter(member=own_member(request), member__isnull=False)


@admin.register(Notification)
class NotificationAdmin(ReadOnlyMixin, OrganizationModelAdmin):
    """Everybody finds their own here, and marks them as read."""

    list_filter = [WhoseFilter]
    list_display = ["message", "news", "contact", "automation", "created_at"]
    list_display_links = None
    search_fields = ["message", "contact__name", "contact__email"]
    list_select_related = ["contact", "automation"]
    ordering = ["-pk"]
    actions = ["read"]
    empty_hint = "Nobody told you anything yet. The step Notify a colleague leaves its word here."

    @admin.display(description="New", ordering="read_at")
    def news(self, notification: Notification) -> SafeString | str:
        return badge("new", "good") if notification.read_at is None else ""

    def has_read_permission(self, request: HttpRequest) -> bool:
        return own_member(request) is not None

    @admin.action(description="Mark as read", permissions=["read"])
    def read(self, request: HttpRequest, chosen: QuerySet[Any]) -> None:
        count = services.read_notifications(list(_own(request, chosen).values_list("pk", flat=True)))
        messages.success(request, f"{count:,} {'is' if count == 1 else 'are'} read.")
