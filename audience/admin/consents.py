"""What people allowed us, about what, and addresses we must not use."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from accounts.admin_base import OrganizationModelAdmin
from audience import services
from audience.models import Consent, ConsentState, Suppression, Topic


@admin.register(Topic)
class TopicAdmin(OrganizationModelAdmin):
    """What messages are about."""

    list_display = ["name", "slug", "description"]
    search_fields = ["name", "slug"]
    prepopulated_fields = {"slug": ["name"]}
    ordering = ["name"]
    empty_hint = "Add a topic, such as Product news, so that people can want one thing and not another."


@admin.register(Consent)
class ConsentAdmin(OrganizationModelAdmin):
    """The ledger of consent: entries are added, never changed."""

    list_display = ["contact", "channel", "topic", "state", "how", "happened_at"]
    list_filter = ["channel", "state", "topic"]
    list_select_related = ["contact", "topic"]
    search_fields = ["contact__email"]
    autocomplete_fields = ["contact"]
    ordering = ["-pk"]
    fields = ["contact", "channel", "topic", "state", "how", "wording", "proof", "happened_at"]
    readonly_fields = ["happened_at"]
    empty_hint = "Consent arrives from forms, unsubscribe pages and imports; add what you were told by word of mouth."

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Consent, form: Any, change: bool) -> None:
        write = services.grant_consent if obj.state == ConsentState.GRANTED else services.withdraw_consent
        proof = {**(obj.proof or {}), "entered_by": str(request.user)}
        write([obj.contact_id], obj.channel, obj.topic_id, obj.how, obj.wording, proof)
        obj.pk = Consent.objects.filter(contact_id=obj.contact_id).latest("pk").pk


@admin.register(Suppression)
class SuppressionAdmin(OrganizationModelAdmin):
    """Addresses we never send to."""

    list_display = ["address", "channel", "reason", "created_at"]
    list_filter = ["channel"]
    search_fields = ["address"]
    ordering = ["-pk"]
    fields = ["channel", "address", "reason"]
    empty_hint = "Hard bounces and complaints land here by themselves; add an address that must never be written to."

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Suppression, form: Any, change: bool) -> None:
        obj.pk = services.suppress(obj.channel, obj.address, obj.reason).pk

    def delete_model(self, request: HttpRequest, obj: Suppression) -> None:
        services.unsuppress(obj)
