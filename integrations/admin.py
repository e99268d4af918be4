"""Pages of destinations and syncs: connect an account, keep a segment there, see what came of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget

from accounts.admin_base import OrganizationModelAdmin, ReadOnlyMixin
from common.errors import AppError
from integrations import selectors, services
from integrations.models import AudienceSync, Destination, SyncedContact, SyncStatus
from integrations.providers import PROVIDERS
from integrations.providers.contract import Setting

BADGES = {"active": "good", "paused": "warning", "ending": "warning"}
SHOWN_PUSHES = 20


def _field(setting: Setting, *, is_known: bool) -> forms.CharField:
    """One setting of a platform as a box; a secret that is stored is never put back into the page."""
    kept = "Stored; leave it empty to keep it." if setting.is_secret and is_known else setting.help
    widget = (
        UnfoldAdminPasswordWidget(attrs={"autocomplete": "off"})
        if setting.is_secret
        else UnfoldAdminTextInputWidget()
    )
    return forms.CharField(
        label=setting.label,
        required=setting.is_required and not (setting.is_secret and is_known),
        help_text=kept,
        widget=widget,
        max_length=4_000,
    )


class DestinationForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Destination
        fields = ["name"]

    def said(self) -> dict[str, str]:
        """The settings as they were filled in."""
        return {name: value for name, value in self.cleaned_data.items() if name != "name"}


@admin.register(Destination)
class DestinationAdmin(OrganizationModelAdmin):
    """Accounts at ad platforms, and webhooks, that take audiences."""

    form = DestinationForm
    list_display = ["name", "kind", "syncs_link", "created_at"]
    list_filter = ["kind"]
    search_fields = ["name"]
    ordering = ["name"]
    empty_hint = "Connect an ad account or a webhook; then keep a segment there from the segment's page."

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        provider = PROVIDERS[_kind(request, obj)]
        known = obj.settings if obj else {}
        boxes: dict[str, Any] = {each.name: _field(each, is_known=bool(obj)) for each in provider.settings}
        for name, box in boxes.items():
            box.initial = known.get(name, "")
        kwargs["form"] = type("DestinationForm", (DestinationForm,), boxes)
        kwargs["fields"] = ["name"]
        return super().get_form(request, obj, change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        provider = PROVIDERS[_kind(request, obj)]
        return [(provider.label, {"fields": ["name", *(each.name for each in provider.settings)]})]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        if request.GET.get("kind") in PROVIDERS:
            return super().add_view(request, form_url, extra_context)
        context = {**self.admin_site.each_context(request), "title": "Connect a destination", "opts": self.opts}
        return TemplateResponse(request, "integrations/choose_kind.html", context | {"kinds": PROVIDERS})

    @admin.display(description="Segments kept there")
    def syncs_link(self, destination: Destination) -> SafeString:
        address = reverse("admin:integrations_audiencesync_changelist")
        count = destination.syncs.count()
        return format_html('<a href="{}?destination__id__exact={}">{}</a>', address, destination.pk, count)

    def save_model(self, request: HttpRequest, obj: Destination, form: Any, change: bool) -> None:
        if change:
            services.change_destination(Destination.objects.get(pk=obj.pk), name=obj.name, settings=form.said())
        else:
            made = services.add_destination(name=obj.name, kind=_kind(request, None), settings=form.said())
            obj.pk, obj.kind = made.pk, made.kind

    def delete_model(self, request: HttpRequest, obj: Destination) -> None:
        services.delete_destination(obj)


def _kind(request: HttpRequest, obj: Any) -> str:
    kind = obj.kind if obj else request.GET.get("kind", "")
    if kind not in PROVIDERS:
        raise Http404("There is no such kind of destination.")
    return str(kind)


Act = Callable[[AudienceSync], None]
ACTS: dict[str, tuple[Act, str]] = {
    "pause": (services.pause_sync, "Paused: the platform is told nothing for now."),
    "resume": (services.resume_sync, "It goes on."),
    "resend": (services.resend_all, "Everybody is told again in the background."),
    "end": (services.end_sync, "Everybody is being taken away; the sync ends by itself."),
    "forget": (services.forget_sync, "Forgotten; who is in the platform's audience stays there."),
}


@admin.register(AudienceSync)
class AudienceSyncAdmin(OrganizationModelAdmin):
    """Segments that are kept at a destination."""

    list_display = ["name", "state", "people", "pushed_at"]
    list_filter = ["status", "destination"]
    list_select_related = ["segment", "destination"]
    search_fields = ["segment__name", "destination__name", "audience_name"]
    ordering = ["-pk"]
    fields = ["destination", "segment", "channel", "audience_name", "audience_id"]
    empty_hint = "Open a segment and choose “Sync to…”, or add one here once a destination is connected."
    change_form_outer_before_template = "integrations/sync_top.html"

    class Media:
        css = {"all": ["segments/segments.css", "integrations.css"]}

    @admin.display(description="Sync")
    def name(self, sync: AudienceSync) -> str:
        return str(sync)

    @admin.display(description="State", ordering="status")
    def state(self, sync: AudienceSync) -> SafeString:
        return badge(sync)

    @admin.display(description="In the audience")
    def people(self, sync: AudienceSync) -> str:
        return f"{selectors.counts(sync).in_audience:,}"

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return list(self.fields) if obj else []

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        if "audience_name" in form.base_fields:
            form.base_fields["audience_name"].required = False
            form.base_fields["audience_name"].help_text = "Empty: the name of the segment."
        return form

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # a sync ends by its own acts, which say what becomes of the people

    def save_model(self, request: HttpRequest, obj: AudienceSync, form: Any, change: bool) -> None:
        if not change:
            said = form.cleaned_data
            obj.pk = services.start_sync(
                said["destination"], said["segment"], channel=said["channel"],
                audience_name=said["audience_name"], audience_id=said["audience_id"],
            ).pk  # fmt: skip

    def get_urls(self) -> list[Any]:
        act = path("<int:pk>/act/<slug:name>/", self.admin_site.admin_view(self.act), name="integrations_sync_act")
        return [act, *super().get_urls()]

    def act(self, request: HttpRequest, pk: int, name: str) -> HttpResponse:
        """Pause, go on, send anew, end, forget."""
        sync = AudienceSync.objects.filter(pk=pk).first()
        if sync is None:
            raise Http404
        if not self.has_change_permission(request, sync):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if name not in ACTS:
            raise Http404
        perform, told = ACTS[name]
        try:
            if name == "resume":
                services.resume_sync(sync, request.POST.get("audience_id"))
            else:
                perform(sync)
            messages.success(request, told)
        except AppError as error:
            messages.error(request, error.message)
        if name == "forget":
            return HttpResponseRedirect(reverse("admin:integrations_audiencesync_changelist"))
        return HttpResponseRedirect(reverse("admin:integrations_audiencesync_change", args=[pk]))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        sync = AudienceSync.objects.select_related("segment", "destination").filter(pk=object_id).first()
        if sync is not None:
            rows = f"{reverse('admin:integrations_syncedcontact_changelist')}?sync__id__exact={sync.pk}"
            extra_context = {
                **(extra_context or {}),
                "sync": sync,
                "badge": badge(sync),
                "counts": selectors.counts(sync),
                "rows_link": rows,
                "pushes": sync.pushes.order_by("-pk")[:SHOWN_PUSHES],
                "may_act": self.has_change_permission(request, sync),
                "provider": PROVIDERS[sync.destination.kind],
                "show_save": False, "show_save_and_continue": False, "show_save_and_add_another": False,
            }  # fmt: skip
        return super().change_view(request, object_id, form_url, extra_context)


def badge(sync: AudienceSync) -> SafeString:
    label = SyncStatus(sync.status).label
    return format_html('<span class="gs-badge gs-badge--{}">{}</span>', BADGES[sync.status], label)


@admin.register(SyncedContact)
class SyncedContactAdmin(ReadOnlyMixin, OrganizationModelAdmin):
    """The log by record: what a platform was told of whom, and what it answered."""

    list_display = ["who", "sync", "change", "status", "error", "pushed_at"]
    list_display_links = None
    list_filter = ["status", "change", "sync"]
    list_select_related = ["sync__segment", "sync__destination"]
    ordering = ["-pk"]
    empty_hint = "Nobody has been sent anywhere yet."

    @admin.display(description="Contact", ordering="contact_id")
    def who(self, row: SyncedContact) -> SafeString | str:
        if row.contact_id is None:
            return "An earlier address"
        address = reverse("dashboards:contact", args=[row.contact_id])
        return format_html('<a href="{}">Contact {}</a>', address, row.contact_id)
