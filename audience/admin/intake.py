"""How things come in: raw requests, files, and what was refused."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import action

from accounts.admin_base import OrganizationModelAdmin, ReadOnlyMixin
from audience import services
from audience.models import Import, IngestBatch, RejectedEvent

MOST_AT_ONCE = 5000


@admin.register(RejectedEvent)
class RejectedEventAdmin(ReadOnlyMixin, OrganizationModelAdmin):
    """Events that could not be used, each with its reason."""

    list_display = ["code", "reason", "protocol", "received_at", "replayed_at"]
    list_filter = ["code", "protocol", ("replayed_at", admin.EmptyFieldListFilter)]
    search_fields = ["code", "reason"]
    ordering = ["-pk"]
    actions = ["replay"]
    fields = ["code", "reason", "protocol", "body", "batch", "received_at", "replayed_at"]
    empty_hint = "Nothing was refused. What cannot be used is kept here with its reason and can be replayed."

    @action(description="Replay the chosen events", permissions=["replay"])
    def replay(self, request: HttpRequest, queryset: QuerySet[RejectedEvent]) -> None:
        rows = list(queryset.order_by("pk")[:MOST_AT_ONCE])
        tried = services.replay(rows)
        left = len(rows) - tried
        words = f"{tried:,} events go through the door again."
        messages.success(request, words + (f" {left:,} were replayed before or not kept whole." if left else ""))

    def has_replay_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm("audience.change_rejectedevent"))  # type: ignore[union-attr]


@admin.register(IngestBatch)
class IngestBatchAdmin(ReadOnlyMixin, OrganizationModelAdmin):
    """Accepted requests, for a week after they were applied; failed ones until somebody looks."""

    list_display = ["id", "protocol", "status", "event_count", "attempts", "received_at", "processed_at", "error"]
    list_filter = ["status", "protocol"]
    ordering = ["-pk"]
    fields = ["protocol", "status", "event_count", "attempts", "received_at", "processed_at", "error", "content"]
    readonly_fields = ["content"]
    empty_hint = "Every accepted request stands here; send a first event."

    def get_queryset(self, request: HttpRequest) -> QuerySet[IngestBatch]:
        queryset = super().get_queryset(request)
        one_row = request.resolver_match is not None and "object_id" in request.resolver_match.kwargs
        return queryset if one_row else queryset.defer("body")

    @admin.display(description="Content (beginning)")
    def content(self, batch: IngestBatch) -> str:
        return bytes(batch.body[:4000]).decode("utf-8", "replace")


@admin.register(Import)
class ImportAdmin(ReadOnlyMixin, OrganizationModelAdmin):
    """Files that came in."""

    list_display = ["file_name", "kind", "position", "accepted_count", "rejected_count", "started_at", "finished_at"]
    list_filter = ["kind"]
    search_fields = ["file_name"]
    ordering = ["-pk"]
    empty_hint = "Bring people in with manage.py import_contacts FILE, events with manage.py import_events FILE."
