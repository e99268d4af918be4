"""What people allowed us, about what, and addresses we must not use."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from accounts.admin_base import OneRowAdmin, OrganizationModelAdmin, ReadOnlyMixin
from audience import services
from audience.models import Consent, ConsentRequest, ConsentState, OptInSettings, Suppression, Topic
from common import clock


@admin.register(Topic)
class TopicAdmin(OrganizationModelAdmin):
    """What messages are about."""

    list_display = ["name", "slug", "description", "opt_in"]
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
        asked = write([obj.contact_id], obj.channel, obj.topic_id, obj.how, obj.wording, proof)
        request.was_asked = bool(asked)  # type: ignore[attr-defined]
        if not asked:
            obj.pk = Consent.objects.filter(contact_id=obj.contact_id).latest("pk").pk

    def response_add(self, request: HttpRequest, obj: Consent, post_url_continue: str | None = None) -> HttpResponse:
        if not getattr(request, "was_asked", False):
            return super().response_add(request, obj, post_url_continue)
        messages.info(request, f"{obj.contact} gets a mail that asks for a click; until then nothing is agreed.")
        return HttpResponseRedirect(reverse("admin:audience_consentrequest_changelist"))


@admin.register(OptInSettings)
class OptInSettingsAdmin(OneRowAdmin):
    """How new subscriptions to e-mail are confirmed."""

    list_display = ["__str__", "is_double", "expire_days", "most_mails"]
    empty_hint = "A yes counts at once. Ask for a click in a confirmation mail instead, for all topics or for some."

    def save_model(self, request: HttpRequest, obj: OptInSettings, form: Any, change: bool) -> None:
        services.save_opt_in(obj)


@admin.register(ConsentRequest)
class ConsentRequestAdmin(ReadOnlyMixin, OrganizationModelAdmin):
    """Who was asked for the click, and whether it came."""

    list_display = ["contact", "address", "topic", "shown_state", "mail_count", "requested_at", "expires_at"]
    list_filter = ["channel", "topic", ("confirmed_at", admin.EmptyFieldListFilter)]
    list_select_related = ["contact", "topic"]
    search_fields = ["address"]
    ordering = ["-pk"]
    actions = ["send_again"]
    empty_hint = "With double opt-in, everybody who said yes waits here until they click the link in their mail."

    @admin.display(description="State")
    def shown_state(self, asked: ConsentRequest) -> str:
        if asked.confirmed_at is not None:
            return f"Confirmed {asked.confirmed_at:%d %b %Y}"
        return "Waiting" if asked.expires_at > clock.now() else "Ran out"

    def has_send_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("audience.change_consent"))

    @admin.action(description="Send the link again", permissions=["send"])
    def send_again(self, request: HttpRequest, chosen: QuerySet[ConsentRequest]) -> None:
        count = sum(services.remind(asked) for asked in chosen)
        messages.success(request, f"{count:,} mails with the link are on their way.")
        if left := chosen.count() - count:
            messages.warning(request, f"{left:,} got none: confirmed, without an address, or over today's limit.")


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
