"""Templates of other channels than e-mail: a form with the channel's own fields, a preview, publish, a test."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.forms.widgets import Script
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from accounts.admin_base import OrganizationModelAdmin
from audience.models import MessageChannel
from campaigns import selectors, services
from campaigns.admin import editor
from campaigns.admin.forms import PreviewForm
from campaigns.admin.templates import badge
from campaigns.models import EmailTemplate, MessageTemplate
from common.errors import AppError
from delivery import services as delivery
from delivery.domain.channels import Channel, Part
from delivery.models import MessageKind

ACTS = ("publish", "duplicate", "archive")


def _field(part: Part, value: Any) -> forms.Field:
    """The form field of one part. What is needed is told at publish: a draft may wait."""
    common: dict[str, Any] = {"label": part.label, "required": False, "help_text": part.help, "initial": value}
    if part.type == "choice":
        return forms.ChoiceField(choices=part.choices, widget=UnfoldAdminSelectWidget, **common)
    if part.type == "number":
        return forms.IntegerField(min_value=1, max_value=365, widget=UnfoldAdminIntegerFieldWidget, **common)
    if part.type == "json":
        attrs = {"rows": 8, "class": "gs-code", "spellcheck": "false"}
        return forms.JSONField(widget=UnfoldAdminTextareaWidget(attrs=attrs), **common)
    if part.type == "lines":
        return forms.CharField(widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}), strip=False, **common)
    return forms.CharField(widget=UnfoldAdminTextInputWidget, **common)


class MessageForm(forms.ModelForm):  # type: ignore[type-arg]
    opened_version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = MessageTemplate
        fields = ["name", "slug", "kind", "defaults"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # A part may be called as a column of e-mails is (`text`), which is empty here: the part's own words stand.
        self.initial = {name: value for name, value in self.initial.items() if name not in self.declared_fields}
        if "opened_version" in self.fields:
            self.fields["opened_version"].initial = self.instance.version
        if "slug" in self.fields:
            self.fields["slug"].required = False
            self.fields["slug"].help_text = "The template's name in the API; empty: made from the name."

    def values(self, channel: Channel) -> dict[str, Any]:
        """What is on the page, as the service takes it."""
        parts = {part.name for part in channel.parts}
        said = {name: value for name, value in self.cleaned_data.items() if name in parts and value not in ("", None)}
        rest = {name: self.cleaned_data[name] for name in ("name", "slug", "kind", "defaults")}
        if self.instance.pk and not rest["slug"]:
            rest.pop("slug")
        return rest | {"channel": channel.name, "fields": said}


@admin.register(MessageTemplate)
class MessageTemplateAdmin(OrganizationModelAdmin):
    """SMS, WhatsApp, push, in-app, Slack and webhooks."""

    list_display = ["name", "channel", "state", "kind", "updated_at"]
    list_filter = ["channel", "is_archived", "kind"]
    list_select_related = ["published"]
    search_fields = ["name", "slug"]
    ordering = ["-pk"]
    empty_hint = "Write your first SMS, push or in-app message, Slack note or webhook."
    change_form_outer_before_template = "campaigns/message_top.html"

    class Media:
        css = {
            "all": [
                "campaigns/campaigns.css",
                "blocks/blocks.css",
                "campaigns/email-editor.css",
                "campaigns/messages.css",
            ]
        }
        js = [Script("campaigns/message-copy.js", type="module")]

    def get_queryset(self, request: HttpRequest) -> QuerySet[MessageTemplate]:
        return super().get_queryset(request).exclude(channel=MessageChannel.EMAIL)

    @admin.display(description="State")
    def state(self, template: MessageTemplate) -> SafeString:
        return badge(template)

    # --- form -----------------------------------------------------------------------------------------

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """First which channel, then its fields."""
        if request.GET.get("channel") in delivery.CHANNELS:
            return super().add_view(request, form_url, extra_context)
        if not self.has_add_permission(request):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": "Write a message",
            "channels": [(channel, delivery.no_way_for(name)) for name, channel in delivery.CHANNELS.items()],
        }
        return TemplateResponse(request, "campaigns/message_channels.html", context)

    def _channel(self, request: HttpRequest, template: EmailTemplate | None) -> Channel:
        name = template.channel if template is not None else request.GET.get("channel", "")
        if name not in delivery.CHANNELS:
            raise Http404
        return delivery.CHANNELS[name]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        channel = self._channel(request, obj)
        said = obj.fields if obj is not None else {}
        parts = {part.name: _field(part, said.get(part.name, part.default or None)) for part in channel.parts}
        kwargs["form"] = type("MessageForm", (MessageForm,), parts)
        form = super().get_form(request, obj, change=change, **kwargs)
        if not channel.is_for_contacts and "kind" in form.base_fields:
            form.base_fields["kind"].initial = MessageKind.TRANSACTIONAL
        return form

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        channel = self._channel(request, obj)
        return [
            (None, {"fields": ["name", "slug", "kind", "opened_version"]}),
            (f"What the {channel.label} says", {"fields": [part.name for part in channel.parts]}),
            ("When a contact lacks something", {"fields": ["defaults"]}),
        ]

    def has_change_permission(self, request: HttpRequest, obj: EmailTemplate | None = None) -> bool:
        return super().has_change_permission(request, obj) and not (obj is not None and obj.is_archived)

    def has_delete_permission(self, request: HttpRequest, obj: EmailTemplate | None = None) -> bool:
        return super().has_delete_permission(request, obj) and (obj is None or obj.published_id is None)

    def save_model(self, request: HttpRequest, obj: MessageTemplate, form: MessageForm, change: bool) -> None:
        if not change:
            obj.pk = services.create_template(form.values(self._channel(request, None))).pk
            return
        stored = EmailTemplate.objects.get(pk=obj.pk)
        values = form.values(self._channel(request, stored))
        services.update_template(stored, values, expected_version=form.cleaned_data.get("opened_version"))

    def delete_model(self, request: HttpRequest, obj: MessageTemplate) -> None:
        services.delete_template(obj)

    # --- publish, preview, test -------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        name = "campaigns_messagetemplate"
        own = [
            path("<int:pk>/preview/", view(self.preview_view), name=f"{name}_preview"),
            path("<int:pk>/test-send/", view(require_POST(self.test_view)), name=f"{name}_test"),
            path("<int:pk>/act/<slug:name>/", view(require_POST(self.act_view)), name=f"{name}_act"),
        ]
        return own + super().get_urls()

    def act_view(self, request: HttpRequest, pk: int, name: str) -> HttpResponse:
        """Publish, duplicate or archive."""
        template = self._visible(request, pk)
        if not super().has_change_permission(request):
            raise PermissionDenied
        if name not in ACTS:
            raise Http404
        shown: EmailTemplate = template
        try:
            if name == "publish":
                number = services.publish_template(template).number
                messages.success(request, f"Version {number} of “{template}” is published.")
            elif name == "duplicate":
                shown = services.duplicate_template(template)
                messages.success(request, f"This is the copy: “{shown}”.")
            else:
                services.archive_template(template)
                messages.success(request, f"“{template}” is archived.")
        except AppError as error:
            messages.error(request, _told(error))
        return HttpResponseRedirect(reverse("admin:campaigns_messagetemplate_change", args=[shown.pk]))

    def preview_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The draft as a contact would get it."""
        template = self._visible(request, pk)
        form = PreviewForm(request.GET)
        contact = selectors.preview_contact(form.cleaned_data["contact"] if form.is_valid() else "")
        shown, refusal = None, None
        try:
            shown = services.preview_message(template, contact) if contact is not None else None
        except AppError as error:
            refusal = error
        context = {
            **self.page_context(request, template),
            **self.admin_site.each_context(request),
            "title": f"Preview: {template}",
            "form": form,
            "contact": contact,
            "shown": shown,
            "refusal": refusal,
            "opts": self.opts,
        }
        response = TemplateResponse(request, "campaigns/message_preview.html", context)
        response._csp_update = {"img-src": ["'self'", "data:", "https:"]}  # type: ignore[attr-defined]
        return response

    def test_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Send the draft to a colleague."""
        template = self._visible(request, pk)
        if not super().has_change_permission(request):
            raise PermissionDenied
        contact = selectors.preview_contact(request.POST.get("contact", ""))
        try:
            if contact is None:
                messages.error(request, "Choose a contact.")
            else:
                services.send_test(template, contact, request.POST.get("to", "").strip())
                messages.success(request, "A test is on its way.")
        except AppError as error:
            messages.error(request, _told(error))
        return HttpResponseRedirect(reverse("admin:campaigns_messagetemplate_preview", args=[pk]))

    def page_context(self, request: HttpRequest, template: EmailTemplate) -> dict[str, Any]:
        """What the top of the template's pages shows."""
        may_write = self.has_change_permission(request, template)
        return {
            "copy": _copy(template, self._channel(request, template)) if may_write else None,
            "message_template": template,
            "channel": self._channel(request, template),
            "badge": badge(template),
            "has_unpublished_changes": selectors.has_unpublished_changes(template),
            "may_act": super().has_change_permission(request),
            "no_way": delivery.no_way_for(template.channel),
            "asks_for_number": template.channel in (MessageChannel.SMS, MessageChannel.WHATSAPP),
            "goes_to_contact": template.channel in (MessageChannel.PUSH, MessageChannel.IN_APP),
        }

    def _visible(self, request: HttpRequest, pk: int) -> MessageTemplate:
        template: MessageTemplate | None = self.get_object(request, str(pk))
        if template is None:
            raise Http404
        if not self.has_view_permission(request, template):
            raise PermissionDenied
        return template


def _copy(template: EmailTemplate, channel: Channel) -> dict[str, Any] | None:
    """What static/campaigns/message-copy.js reads of the page; None where no contact reads the text."""
    if not channel.is_for_contacts:
        return None
    return {
        "id": template.pk,
        "channel": channel.name,
        "parts": [part.name for part in channel.parts if part.type in ("line", "lines")],
        "segments": editor.segment_choices(),
        "addresses": {"copy": editor.COPY},
    }


def _told(error: AppError) -> str:
    return " ".join([error.message, *(f"{place}: {text}" for place, text in error.details.items())])
