"""The people of campaigns, as a list that reports lead to."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.admin_base import OrganizationModelAdmin, ReadOnlyMixin
from campaigns.models import Target
from campaigns.selectors import people
from delivery.models import Message, SourceType


class DidFilter(admin.SimpleListFilter):
    """What people did with it."""

    title = "what they did"
    parameter_name = "did"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(people.DEEDS.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Target]) -> QuerySet[Target]:
        return people.did(queryset, self.value() or "")


class LinkFilter(admin.SimpleListFilter):
    """Which link they clicked; only reports choose it, so the list offers just the one that is chosen."""

    title = "link they clicked"
    parameter_name = "link"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        chosen = request.GET.get("link", "")
        return [(chosen, chosen)] if chosen else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Target]) -> QuerySet[Target]:
        return people.clicked_on(queryset, value) if (value := self.value()) else queryset


class PlaceFilter(admin.SimpleListFilter):
    """Which of several links to one address they clicked; only reports choose it, together with the address."""

    title = "which of the links to it"
    parameter_name = "place"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        chosen = _place(request.GET.get("place"))
        return [(str(chosen), f"Link {chosen}" if chosen else "Not told")] if chosen is not None else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Target]) -> QuerySet[Target]:
        url, place = request.GET.get("link", ""), _place(self.value())
        return people.clicked_on(queryset, url, place) if url and place is not None else queryset


def _place(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 4 else None


@admin.register(Target)
class TargetAdmin(ReadOnlyMixin, OrganizationModelAdmin):
    """People in campaigns."""

    empty_hint = "Nobody here did that. Launch a campaign, or take the filter away."
    list_display = ["person", "in_campaign", "message", "opened", "clicked", "status", "converted_at"]
    list_display_links = None
    # Which campaign and which arm are said by the address: their lists would be read from millions of people.
    list_filter = [DidFilter, LinkFilter, PlaceFilter, "status", "is_held_out"]
    search_fields = ["contact__email", "contact__user_id"]
    list_select_related = ["contact", "campaign"]
    ordering = ["-pk"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Target]:
        ledger = Message.objects.filter(
            contact=OuterRef("contact_id"), source_type=SourceType.CAMPAIGN, source_id=OuterRef("campaign_id")
        ).order_by("-pk")
        columns = {
            f"message_{name}": Subquery(ledger.values(name)[:1]) for name in ("status", "opened_at", "clicked_at")
        }
        return super().get_queryset(request).annotate(**columns)

    @admin.display(description="Person", ordering="contact")
    def person(self, target: Target) -> SafeString:
        return format_html(
            '<a href="{}">{}</a>', reverse("dashboards:contact", args=[target.contact_id]), target.contact
        )

    @admin.display(description="Campaign", ordering="campaign")
    def in_campaign(self, target: Target) -> str:
        return str(target.campaign)

    @admin.display(description="Message")
    def message(self, target: Any) -> str:
        return (target.message_status or "–").capitalize()

    @admin.display(description="Opened")
    def opened(self, target: Any) -> Any:
        return target.message_opened_at

    @admin.display(description="Clicked")
    def clicked(self, target: Any) -> Any:
        return target.message_clicked_at
