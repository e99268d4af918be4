"""Accounts at providers: a list with their state, a form with the fields of the kind, a test."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from accounts.admin_base import OrganizationModelAdmin
from audience.models import MessageChannel
from common.errors import AppError
from delivery import links, providers, services
from delivery.domain import strain
from delivery.domain.outcomes import OutcomeKind
from delivery.models import Provider
from delivery.providers import PROVIDERS, contract
from delivery.providers.hooks import USER

TOLD = {
    OutcomeKind.SENT: "The provider took the test message.",
    OutcomeKind.RETRY: "The provider cannot take it now: ",
    OutcomeKind.FAILED: "The provider refused it: ",
    OutcomeKind.UNCERTAIN: "It may have gone out, but no clear answer came: ",
    OutcomeKind.UNTRIED: "Nothing was sent: ",
}
KEPT = "Stored and not shown. Leave empty to keep it."


def _field(field: contract.Field, *, is_new: bool) -> forms.Field:
    """The form field of one setting. What is needed is checked by the service, beside the field."""
    common: dict[str, Any] = {"label": field.label, "required": False, "help_text": field.help}
    if not is_new and field.is_secret:
        common["help_text"] = KEPT if field.make else f"{KEPT} {field.help}".strip()
    if field.type == "flag":
        return forms.BooleanField(widget=UnfoldBooleanSwitchWidget, **common)
    if field.type == "number":
        return forms.IntegerField(min_value=0, widget=UnfoldAdminIntegerFieldWidget, **common)
    if field.type == "choice":
        return forms.ChoiceField(choices=field.choices, widget=UnfoldAdminSelectWidget, **common)
    if field.type in ("lines", "secret_lines"):
        attrs = {"rows": 6, "class": "gs-code", "spellcheck": "false", "autocomplete": "off"}
        return forms.CharField(widget=UnfoldAdminTextareaWidget(attrs=attrs), **common)
    if field.type == "secret":
        attrs = {"autocomplete": "new-password"}
        return forms.CharField(widget=UnfoldAdminPasswordWidget(attrs=attrs, render_value=False), **common)
    return forms.CharField(widget=UnfoldAdminTextInputWidget, **common)


def form_for(kind: contract.Provider, row: Provider | None) -> type[forms.ModelForm]:  # type: ignore[type-arg]
    """The form of an account of this kind; it never shows a secret again."""
    fields = {field.name: _field(field, is_new=row is None) for field in kind.fields}
    for field in kind.fields:
        stored = row.settings.get(field.name, field.default) if row is not None else field.default
        fields[field.name].initial = "" if field.is_secret else stored
    return type(
        "ProviderForm", (forms.ModelForm,), {**fields, "Meta": type("Meta", (), {"model": Provider, "fields": []})}
    )


@admin.register(Provider)
class ProviderAdmin(OrganizationModelAdmin):
    empty_hint = "Without one, e-mail goes to the server that EMAIL_URL names. Add an account at a provider."
    list_display = ["name", "kind_label", "channel", "state", "is_default"]
    list_filter = ["channel", "is_active"]
    search_fields = ["name"]
    ordering = ["channel", "name"]
    change_form_outer_before_template = "delivery/provider_top.html"

    class Media:
        css = {"all": ["delivery.css"]}

    @admin.display(description="Kind", ordering="kind")
    def kind_label(self, row: Provider) -> str:
        return providers.of_kind(row.kind).label

    @admin.display(description="State")
    def state(self, row: Provider) -> SafeString:
        return badge(row)

    # --- form -----------------------------------------------------------------------------------------

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """First which kind, then its fields."""
        if request.GET.get("kind") in PROVIDERS:
            return super().add_view(request, form_url, extra_context)
        if not self.has_add_permission(request):
            raise PermissionDenied
        kinds = sorted(PROVIDERS.items(), key=lambda entry: (entry[1].channels, entry[1].label))
        told = [(name, kind.label, _in_words(kind.channels)) for name, kind in kinds]
        context = {**self.admin_site.each_context(request), "title": "Add a provider", "kinds": told}
        return TemplateResponse(request, "delivery/provider_kinds.html", context)

    def _kind(self, request: HttpRequest, row: Provider | None) -> contract.Provider:
        return providers.of_kind(row.kind) if row is not None else PROVIDERS.find(request.GET.get("kind"), "kind")

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        kwargs["form"] = form_for(self._kind(request, obj), obj)
        form = super().get_form(request, obj, change=change, **kwargs)
        if "channel" in form.base_fields:
            known = self._kind(request, obj).channels
            field = form.base_fields["channel"]
            field.choices = [choice for choice in field.choices if choice[0] in known]
        return form

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        kind = self._kind(request, obj)
        own = ["name", *(["channel"] if len(kind.channels) > 1 else []), "is_default", "is_active"]
        return [
            (None, {"fields": own}),
            (kind.label, {"fields": [field.name for field in kind.fields], "description": kind.help}),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["channel"] if obj is not None else []

    def save_model(self, request: HttpRequest, obj: Provider, form: Any, change: bool) -> None:
        kind = self._kind(request, obj if change else None)
        if not change:
            obj.kind = kind.name
            obj.channel = obj.channel or kind.channels[0]
        values = {field.name: form.cleaned_data.get(field.name) for field in kind.fields}
        values = {name: "" if value is None else value for name, value in values.items()}
        services.save_provider(obj, values)

    def delete_model(self, request: HttpRequest, obj: Provider) -> None:
        services.delete_provider(obj)

    def page_context(self, request: HttpRequest, row: Provider) -> dict[str, Any]:
        may_act = self.has_change_permission(request, row)
        return {
            "account": row,
            "badge": badge(row),
            "may_act": may_act,
            "public_key": services.push_public_key() if row.kind == "web_push" and row.is_default else None,
            "needs_address": row.channel in services.TRIED_AT_AN_ADDRESS,
            "what_now": strain.what_now(row.paused_because),
            **_hook(row, may_see=may_act),
        }

    # --- try, pause, resume -----------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        view = require_POST(self.admin_site.admin_view(self.act_view))
        own = [path("<int:pk>/act/<slug:name>/", view, name="delivery_provider_act")]
        return own + super().get_urls()

    def act_view(self, request: HttpRequest, pk: int, name: str) -> HttpResponse:
        """Send a test, pause or resume."""
        row: Provider | None = self.get_object(request, str(pk))
        if row is None or name not in ("test", "pause", "resume"):
            raise Http404
        if not self.has_change_permission(request, row):
            raise PermissionDenied
        try:
            if name == "test":
                self._try(request, row)
            elif name == "pause":
                services.pause_provider(row, f"Paused by {request.user}.")
                messages.success(request, f"“{row}” is paused: its messages wait.")
            else:
                services.resume_provider(row)
                messages.success(request, f"“{row}” goes on.")
        except AppError as error:
            messages.error(request, error.message)
        return HttpResponseRedirect(reverse("admin:delivery_provider_change", args=[pk]))

    def _try(self, request: HttpRequest, row: Provider) -> None:
        outcome = services.try_provider(row, request.POST.get("to", ""))
        level = messages.SUCCESS if outcome.kind == OutcomeKind.SENT else messages.ERROR
        messages.add_message(request, level, f"{TOLD[outcome.kind]} {outcome.answer}".strip())


def _hook(row: Provider, *, may_see: bool) -> dict[str, str]:
    """Where the provider reports to, and what proves that it is the one who does. The address itself is a secret."""
    hooks = providers.of_kind(row.kind).hooks
    if hooks is None or not may_see:
        return {}
    url = links.hook_url(row.organization_id, row.pk)
    if not any(field.name == "hook_password" for field in providers.of_kind(row.kind).fields):
        return {"hook_url": url, "hook_note": "Reports are believed when they bear the provider's signature."}
    scheme, _, rest = url.partition("://")
    note = f"Put the password of the webhook in the place of PASSWORD, or enter “{USER}” and it as user and password."
    return {"hook_url": f"{scheme}://{USER}:PASSWORD@{rest}", "hook_note": note}


def badge(row: Provider) -> SafeString:
    if not row.is_active:
        return format_html('<span class="gs-badge">{}</span>', "Switched off")
    if row.paused_at is not None:
        return format_html('<span class="gs-badge gs-badge--warning">Paused: {}</span>', row.paused_reason)
    return format_html('<span class="gs-badge gs-badge--good">{}</span>', "In use" if row.is_default else "Ready")


def _in_words(channels: Iterable[str]) -> str:
    return ", ".join(MessageChannel(each).label for each in channels)
