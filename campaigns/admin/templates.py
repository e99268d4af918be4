"""The template's pages: write, publish, see it as a contact would, send a test to yourself."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from accounts.admin_base import OrganizationModelAdmin
from audience.models import MessageChannel
from campaigns import selectors, services
from campaigns.admin import editor
from campaigns.admin.forms import PreviewForm, TemplateForm, TestSendForm
from campaigns.models import EmailTemplate
from common.errors import AppError

GMAIL_CLIPS_AT = 102 * 1024


@admin.register(EmailTemplate)
class EmailTemplateAdmin(OrganizationModelAdmin):
    """E-mail templates."""

    form = TemplateForm
    list_display = ["titled", "state", "kind", "subject", "updated_at"]
    list_display_links = None
    list_filter = ["is_archived", "kind"]
    list_select_related = ["published"]
    search_fields = ["name", "slug", "subject"]
    ordering = ["-pk"]
    empty_hint = "Begin with one of six ready mails, or with an empty one: add your first template here."
    change_form_outer_before_template = "campaigns/template_top.html"
    fieldsets = [
        (None, {"fields": ["name", "slug", "kind", "opened_version"]}),
        ("What it says", {"fields": ["subject", "preheader", "html", "text"]}),
        ("When a contact lacks something", {"fields": ["defaults"]}),
    ]

    class Media:
        css = {"all": ["campaigns/campaigns.css"]}

    @admin.display(description="Name", ordering="name")
    def titled(self, template: EmailTemplate) -> SafeString:
        page = "change" if template.is_archived else "editor"
        return format_html(
            '<a href="{}">{}</a>', reverse(f"admin:campaigns_emailtemplate_{page}", args=[template.pk]), template
        )

    @admin.display(description="State")
    def state(self, template: EmailTemplate) -> SafeString:
        return badge(template)

    def get_queryset(self, request: HttpRequest) -> QuerySet[EmailTemplate]:
        return super().get_queryset(request).filter(channel=MessageChannel.EMAIL)

    # --- form -----------------------------------------------------------------------------------------

    def has_change_permission(self, request: HttpRequest, obj: EmailTemplate | None = None) -> bool:
        return super().has_change_permission(request, obj) and not (obj is not None and obj.is_archived)

    def get_fieldsets(self, request: HttpRequest, obj: EmailTemplate | None = None) -> Any:
        """A mail made of blocks is not written as HTML, too."""
        if obj is None or obj.blocks is None:
            return super().get_fieldsets(request, obj)
        return [
            (title, {**options, "fields": [name for name in options["fields"] if name != "html"]})
            for title, options in self.fieldsets
        ]

    def save_model(self, request: HttpRequest, obj: EmailTemplate, form: TemplateForm, change: bool) -> None:
        if not change:
            obj.pk = services.create_template(form.values()).pk
            return
        stored = EmailTemplate.objects.get(pk=obj.pk)
        services.update_template(stored, form.values(), expected_version=form.cleaned_data.get("opened_version"))

    def delete_model(self, request: HttpRequest, obj: EmailTemplate) -> None:
        services.delete_template(obj)

    def has_delete_permission(self, request: HttpRequest, obj: EmailTemplate | None = None) -> bool:
        return super().has_delete_permission(request, obj) and (obj is None or obj.published_id is None)

    # --- publish, preview, test -------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        own = [
            path("new/", view(self.new_view), name="campaigns_emailtemplate_new"),
            path("<int:pk>/editor/", view(self.editor_view), name="campaigns_emailtemplate_editor"),
            path("<int:pk>/preview/", view(self.preview_view), name="campaigns_emailtemplate_preview"),
            path("<int:pk>/test-send/", view(require_POST(self.test_view)), name="campaigns_emailtemplate_test"),
            path("<int:pk>/act/<slug:name>/", view(require_POST(self.act_view)), name="campaigns_emailtemplate_act"),
        ]
        return own + super().get_urls()

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """People begin with a ready mail; `?code` is the plain form."""
        if request.method == "GET" and "code" not in request.GET and self.has_add_permission(request):
            return HttpResponseRedirect(reverse("admin:campaigns_emailtemplate_new"))
        response: HttpResponse = super().add_view(request, form_url, extra_context)
        return response

    def new_view(self, request: HttpRequest) -> HttpResponse:
        """Name it, choose what to begin with, and go on in the editor."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        return editor.begin(request, {**self.admin_site.each_context(request), "opts": self.opts})

    def editor_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The block editor; who may not write sees the preview instead, an archived one its plain page."""
        template = self._visible(request, pk)
        if not self.has_change_permission(request, template):
            return HttpResponseRedirect(reverse("admin:campaigns_emailtemplate_preview", args=[pk]))
        context = {**self.admin_site.each_context(request), **self.page_context(request, template)}
        return editor.editor(request, template, context)

    def act_view(self, request: HttpRequest, pk: int, name: str) -> HttpResponse:
        """Publish, duplicate or archive."""
        template = self._visible(request, pk)
        if not super().has_change_permission(request):
            raise PermissionDenied
        if name not in ("publish", "duplicate", "archive"):
            raise Http404
        shown = template
        try:
            if name == "publish":
                number = services.publish_template(template).number
                messages.success(request, f"Version {number} of “{template}” is published: new mail uses it.")
            elif name == "duplicate":
                shown = services.duplicate_template(template)
                messages.success(request, f"This is the copy: “{shown}”.")
            else:
                services.archive_template(template)
                messages.success(request, f"“{template}” is archived.")
        except AppError as error:
            return self._refused(request, template, error)
        return HttpResponseRedirect(reverse("admin:campaigns_emailtemplate_change", args=[shown.pk]))

    def preview_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The draft as a contact would get it: wide, narrow and as text."""
        template = self._visible(request, pk)
        form = PreviewForm(request.GET)
        query = form.cleaned_data["contact"] if form.is_valid() else ""
        contact = selectors.preview_contact(query)
        rendered, refusal = None, None
        try:
            rendered = services.preview_template(template, contact) if contact is not None else None
        except AppError as error:
            refusal = error
        context = {
            **self.page_context(request, template),
            **self.admin_site.each_context(request),
            "title": f"Preview: {template}",
            "form": form,
            "contact": contact,
            "rendered": rendered,
            "refusal": refusal,
            "bytes": len(rendered.html.encode()) if rendered else 0,
            "clips_at": GMAIL_CLIPS_AT,
            "opts": self.opts,
        }
        response = TemplateResponse(request, "campaigns/preview.html", context)
        editor.allow_pictures(response)
        return response

    def test_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Send the draft to a colleague's own address, written for the chosen contact."""
        template = self._visible(request, pk)
        if not super().has_change_permission(request):
            raise PermissionDenied
        form = TestSendForm(request.POST, addresses=selectors.member_addresses())
        contact = selectors.preview_contact(request.POST.get("contact", ""))
        try:
            if form.is_valid() and contact is not None:
                services.send_test(template, contact, form.cleaned_data["to"])
                messages.success(request, f"A test is on its way to {form.cleaned_data['to']}.")
            else:
                messages.error(request, "Choose a contact and one of your colleagues.")
        except AppError as error:
            messages.error(request, _sentence(error))
        return HttpResponseRedirect(reverse("admin:campaigns_emailtemplate_preview", args=[pk]))

    def _refused(self, request: HttpRequest, template: EmailTemplate, error: AppError) -> HttpResponse:
        """The form again, with each mistake beside its field; nothing was published."""
        places = {place: str(text) for place, text in error.details.items()}
        context = {"publish_refusal": error, "publish_places": places}
        request.method = "GET"
        response: HttpResponse = self.changeform_view(request, str(template.pk), extra_context=context)
        response.status_code = error.http_status
        return response

    def page_context(self, request: HttpRequest, template: EmailTemplate) -> dict[str, Any]:
        """What the top of the template's page shows."""
        user: Any = request.user
        addresses = selectors.member_addresses()
        return {
            "email_template": template,
            "badge": badge(template),
            "has_unpublished_changes": selectors.has_unpublished_changes(template),
            "may_act": super().has_change_permission(request),
            "test_form": TestSendForm(
                addresses=addresses, initial={"to": user.email if user.email in addresses else None}
            ),
        }

    def _visible(self, request: HttpRequest, pk: int) -> EmailTemplate:
        template = self.get_object(request, str(pk))
        if template is None:
            raise Http404
        if not self.has_view_permission(request, template):
            raise PermissionDenied
        return template


def badge(template: EmailTemplate) -> SafeString:
    if template.is_archived:
        return format_html('<span class="gs-badge">{}</span>', "Archived")
    if template.published is None:
        return format_html('<span class="gs-badge gs-badge--warning">{}</span>', "Draft")
    return format_html('<span class="gs-badge gs-badge--good">Published v{}</span>', template.published.number)


def _sentence(error: AppError) -> str:
    return " ".join([error.message, *(str(text) for text in error.details.values())])
