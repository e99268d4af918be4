"""Workflows: the list with its numbers, the form with the outline in words, switching on and off."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.forms.widgets import Script
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString

from accounts.admin_base import OrganizationModelAdmin
from automations import doors, selectors, services
from automations.admin import canvas, catalogue
from automations.admin.parts import badge, beside_fields, rows_link
from automations.models import Automation
from automations.selectors import Counts
from automations.triggers import TRIGGERS
from common.errors import AppError

LIMITS = ["weight", "shelf_hours", "holdout_percent"]


class AutomationForm(forms.ModelForm):  # type: ignore[type-arg]
    """A workflow without its flow, which the canvas writes."""

    class Meta:
        model = Automation
        fields = ["name", "slug", "description", "run_immediately", *LIMITS]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "slug" in self.fields:
            self.fields["slug"].required = False
            self.fields["slug"].help_text = "Left empty: made from the name."
        if "description" in self.fields:
            self.fields["description"].widget.attrs["rows"] = 2

    def values(self) -> dict[str, Any]:
        """The fields that are on the page, as the service takes them."""
        return {name: value for name, value in self.cleaned_data.items() if name in self.fields}


@admin.register(Automation)
class AutomationAdmin(OrganizationModelAdmin):
    """Workflows."""

    form = AutomationForm
    list_display = ["name", "state", "starts", "in_progress", "finished", "failed", "updated_at"]
    list_filter = ["is_active", "trigger_type"]
    search_fields = ["name", "description", "slug"]
    ordering = ["-pk"]
    empty_hint = "Make a workflow: choose what starts it, and what happens then. A welcome mail is a good first one."
    list_before_template = "automations/catalogue_link.html"
    change_form_outer_before_template = "automations/workflow_top.html"
    fieldsets = [
        (None, {"fields": ["name", "slug", "description"]}),
        ("When limits collide", {"fields": ["run_immediately", *LIMITS]}),
    ]

    class Media:
        css = {"all": ["automations/automations.css", "blocks/blocks.css", "automations/canvas.css"]}
        js = [Script("automations/workflow-canvas.js", type="module")]

    # --- list -----------------------------------------------------------------------------------------

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        page = super().get_changelist_instance(request)
        counts = selectors.counts([row.pk for row in page.result_list])
        for row in page.result_list:
            row.counts = counts[row.pk]
        return page

    @admin.display(description="State", ordering="is_active")
    def state(self, automation: Automation) -> SafeString:
        return badge("active", "good") if automation.is_active else badge("off")

    @admin.display(description="Starts when", ordering="trigger_type")
    def starts(self, automation: Automation) -> str:
        kind = TRIGGERS.get(automation.trigger_type)
        return kind.label if kind else automation.trigger_type

    @admin.display(description="In progress")
    def in_progress(self, automation: Any) -> SafeString:
        inside = automation.counts.in_progress + automation.counts.held
        return rows_link(inside, "automationrun", automation__id__exact=automation.pk, status__in="running,held")

    @admin.display(description="Finished")
    def finished(self, automation: Any) -> SafeString:
        return rows_link(
            automation.counts.finished,
            "automationrun",
            automation__id__exact=automation.pk,
            status__in="completed,exited",
        )

    @admin.display(description="Failed")
    def failed(self, automation: Any) -> SafeString:
        return rows_link(
            automation.counts.failed, "automationrun", automation__id__exact=automation.pk, status__in="failed"
        )

    # --- form -----------------------------------------------------------------------------------------

    def save_model(self, request: HttpRequest, obj: Automation, form: Any, change: bool) -> None:
        try:
            if change:
                services.update_automation(Automation.objects.get(pk=obj.pk), form.values())
            else:
                obj.pk = services.begin(**form.values()).pk
        except AppError as error:
            raise beside_fields(error, {}) from error

    def response_add(
        self, request: HttpRequest, obj: Automation, post_url_continue: str | None = None
    ) -> HttpResponse:
        """A name is not a workflow yet: on to the canvas."""
        return HttpResponseRedirect(reverse("admin:automations_automation_editor", args=[obj.pk]))

    def delete_model(self, request: HttpRequest, obj: Automation) -> None:
        services.delete_automation(obj)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """A sentence per workflow instead of a list of everybody who ever went through."""
        rows = list(objs)
        counts = selectors.counts([row.pk for row in rows])
        told = [f"{row}: {_people(counts[row.pk])}" for row in rows]
        needed = set() if self.has_delete_permission(request) else {self.opts.verbose_name}
        return told, {self.opts.verbose_name_plural: len(rows)}, needed, []

    # --- switching on and off ---------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        own = path(
            "<int:pk>/switch/", self.admin_site.admin_view(self.switch_view), name="automations_automation_switch"
        )
        editor = path(
            "<int:pk>/editor/", self.admin_site.admin_view(self.editor_view), name="automations_automation_editor"
        )
        bring = path("import/", self.admin_site.admin_view(self.import_view), name="automations_automation_import")
        return [own, editor, bring, *catalogue.urls(self), *super().get_urls()]

    def editor_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The canvas as a workspace. Who may only look is shown the picture on the workflow's own page."""
        automation = self._find(str(pk))
        if automation is None or not self.has_view_permission(request, automation):
            raise Http404
        if not self.has_change_permission(request, automation):
            return HttpResponseRedirect(reverse("admin:automations_automation_change", args=[pk]))
        return canvas.editor(request, automation, {**self.admin_site.each_context(request), "opts": self.opts})

    def import_view(self, request: HttpRequest) -> HttpResponse:
        """A new workflow out of a file."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        return canvas.bring(request, {**self.admin_site.each_context(request), "opts": self.opts})

    def switch_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Says what switching does and to how many people; a POST does it."""
        automation = self._find(str(pk))
        if automation is None or not self.has_view_permission(request, automation):
            raise Http404
        if not self.has_change_permission(request, automation):
            raise PermissionDenied
        if request.method == "POST":
            messages.success(request, _switched(automation, request.POST.get("to", ""), stops="stop" in request.POST))
            return HttpResponseRedirect(reverse("admin:automations_automation_change", args=[pk]))
        context = self.page_context(request, automation) | {
            **self.admin_site.each_context(request),
            "title": f"{'Switch off' if automation.is_active else 'Switch on'} {automation}",
            "opts": self.opts,
        }
        return TemplateResponse(request, "automations/switch.html", context)

    def _find(self, pk: str) -> Automation | None:
        if not pk.isdigit() or len(pk) > 18:
            return None
        return Automation.objects.select_related("current_version").filter(pk=int(pk)).first()

    def page_context(self, request: HttpRequest, automation: Automation) -> dict[str, Any]:
        version = automation.current_version
        counts = selectors.counts([automation.pk])[automation.pk]
        runs = reverse("admin:automations_automationrun_changelist")
        return {
            "automation": automation,
            "version": version,
            "has_draft": automation.draft is not None,
            "picture": canvas.picture_page(automation, version) if version else None,
            "outline": selectors.outline(version) if version else [],
            "counts": counts,
            "inside": counts.in_progress + counts.held,
            "door": _door(automation),
            "runs_address": f"{runs}?automation__id__exact={automation.pk}",
        }


def _door(automation: Automation) -> dict[str, str] | None:
    """The address that starts the workflow from outside, if one does."""
    kind, settings = automation.trigger_type, automation.trigger_configuration
    if kind not in doors.PATHS or not isinstance(settings, dict) or not settings.get("key"):
        return None
    return {"kind": kind, "address": doors.address(kind, settings["key"])}


def _switched(automation: Automation, to: str, *, stops: bool) -> str:
    """Does it, and says what became of whom; a button pressed twice does what it says once."""
    if stops:
        left = services.stop(automation)
        told = f"“{automation}” is switched off; {_persons(left.people)} left it."
        waited = f"{left.messages:,} waiting {'message was' if left.messages == 1 else 'messages were'} withdrawn."
        return f"{told} {waited}" if left.messages else told
    if to == ("on" if automation.is_active else "off"):
        return f"“{automation}” is {'active' if automation.is_active else 'switched off'} already."
    if automation.is_active:
        return f"“{services.deactivate(automation)}” is switched off."
    return f"“{services.activate(automation)}” is active."


def _people(counts: Counts) -> str:
    inside = counts.in_progress + counts.held
    gone = counts.finished + counts.failed + counts.cancelled
    return f"{_persons(inside)} inside, who go no further, and the history of {_persons(gone)} who left"


def _persons(count: int) -> str:
    return f"{count:,} {'person' if count == 1 else 'people'}"
