"""Runs: who is where, what happened to them step by step, and the dead letters."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from accounts.admin_base import OrganizationModelAdmin, ReadOnlyMixin
from automations import services
from automations.admin.parts import RUN_BADGES, badge
from automations.models import INSIDE, Automation, AutomationRun, RunStatus
from automations.selectors.inspector import inspect
from automations.selectors.words import step_names

MOST_SHOWN = 100


class WorkflowFilter(admin.SimpleListFilter):
    """The youngest workflows, and the one that is chosen."""

    title = "workflow"
    parameter_name = "automation__id__exact"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        newest = list(Automation.objects.order_by("-pk").values_list("pk", "name")[:MOST_SHOWN])
        chosen = _number(request.GET.get(self.parameter_name, ""))
        if chosen is not None and chosen not in dict(newest):
            newest += Automation.objects.filter(pk=chosen).values_list("pk", "name")
        return [(str(pk), name) for pk, name in newest]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AutomationRun]) -> QuerySet[AutomationRun]:
        if not self.value():
            return queryset
        chosen = _number(self.value() or "")
        return queryset.none() if chosen is None else queryset.filter(automation_id=chosen)


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and text.isascii() and len(text) < 19 else None


@admin.register(AutomationRun)
class AutomationRunAdmin(ReadOnlyMixin, OrganizationModelAdmin):
    """Read only; failed runs can be tried again, and anybody can be taken out."""

    list_display = ["contact", "automation", "state", "place", "goes_on_at", "error", "entered_at", "left_at"]
    list_filter = ["status", WorkflowFilter]
    search_fields = ["contact__email", "contact__name", "error"]
    list_select_related = ["contact", "automation"]
    ordering = ["-pk"]
    actions = ["replay", "dismiss"]
    empty_hint = "Switch a workflow on; everybody who enters it is listed here, with each step they took."
    change_form_outer_before_template = "automations/run_top.html"
    fields = ["contact", "automation", "version", "entered_at", "finished_at", "entry_key", "facts"]

    class Media:
        css = {"all": ["automations/automations.css", "automations/watch.css", "segments/segments.css"]}

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        page = super().get_changelist_instance(request)
        names = step_names({(run.version_id, run.step_id) for run in page.result_list if run.status in INSIDE})
        for run in page.result_list:
            run.place_name = names.get((run.version_id, run.step_id), "")
        return page

    @admin.display(description="State", ordering="status")
    def state(self, run: AutomationRun) -> SafeString:
        return badge(run.status, RUN_BADGES[run.status])

    @admin.display(description="Stands on, or why left", ordering="step_id")
    def place(self, run: Any) -> str:
        if run.status == RunStatus.COMPLETED:
            return "Came to the end"
        return run.place_name or (run.get_exit_reason_display() if run.exit_reason else "")

    @admin.display(description="Goes on at", ordering="run_at")
    def goes_on_at(self, run: AutomationRun) -> datetime | None:
        """The end of a wait or the next try; who is done, held or failed goes on at no time."""
        return (run.waits_until or run.run_at) if run.status == RunStatus.RUNNING else None

    @admin.display(description="Left at", ordering="finished_at")
    def left_at(self, run: AutomationRun) -> datetime | None:
        return run.finished_at

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup == "status__in" or super().lookup_allowed(lookup, value, request)

    def has_work_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("automations.change_automationrun"))

    @admin.action(description="Try failed runs again from where they stand", permissions=["work"])
    def replay(self, request: HttpRequest, chosen: QuerySet[AutomationRun]) -> None:
        count = services.replay(list(chosen.values_list("pk", flat=True)))
        messages.success(request, f"{count:,} failed runs are tried again.")

    @admin.action(description="Take out of the workflow for good", permissions=["work"])
    def dismiss(self, request: HttpRequest, chosen: QuerySet[AutomationRun]) -> None:
        count = services.dismiss(list(chosen.values_list("pk", flat=True)))
        messages.success(request, f"{count:,} people were taken out of their workflow.")

    def page_context(self, request: HttpRequest, run: AutomationRun) -> dict[str, Any]:
        found = inspect(run)
        return {
            "run": run,
            "moments": found.moments,
            "standing": found.standing,
            "is_cut": found.is_cut,
            "badge": self.state(run),
            "may_work": self.has_work_permission(request),
        }
