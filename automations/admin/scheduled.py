"""Scheduled tasks: what is set for later, in forms of their own, and how it went."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString

from accounts.admin_base import OrganizationModelAdmin
from accounts.models import Organization
from automations import recurrence, services
from automations.admin.parts import badge, beside_fields
from automations.admin.scheduled_form import ASKED, PAYLOAD_FIELDS, ScheduledTaskForm
from automations.models import ScheduledStatus, ScheduledTask, ScheduleKind
from automations.services.kinds import KINDS
from common import clock
from common.errors import AppError, Invalid

BADGES = {"pending": "good", "retry_scheduled": "warning", "failed": "critical"}
TURNS_SHOWN = 5
TRIES_SHOWN = 20
RECURS, ONCE, LATER = (f"schedule_type == '{kind}'" for kind in ("recurring", "once", "delayed"))


@admin.register(ScheduledTask)
class ScheduledTaskAdmin(OrganizationModelAdmin):
    """Things to do at a time: once, after a delay, again and again."""

    form = ScheduledTaskForm
    change_form_outer_before_template = "automations/scheduled_top.html"
    change_form_after_template = "automations/scheduled_turns.html"
    list_display = ["name", "what", "state", "next_turn", "when", "priority", "attempts", "error"]
    list_filter = ["status", "schedule_type", "task_type", "is_active"]
    search_fields = ["name", "error"]
    ordering = ["-pk"]
    actions = ["run_chosen", "try_again"]
    empty_hint = "Set something for later: start a workflow, send a template, update contacts."
    fields = [
        "name", "task_type", *PAYLOAD_FIELDS, "schedule_type", "run_at", "delay_seconds", "cron", "timezone",
        "priority", "most_retries", "is_active",
    ]  # fmt: skip
    conditional_fields = {
        **{name: " || ".join(f"task_type == '{kind}'" for kind in kinds) for name, kinds in ASKED.items()},
        "run_at": ONCE, "delay_seconds": LATER, "cron": RECURS, "timezone": RECURS,
    }  # fmt: skip

    class Media:
        css = {"all": ["automations/automations.css"]}

    @admin.display(description="What to do", ordering="task_type")
    def what(self, task: ScheduledTask) -> str:
        kind = KINDS.get(task.task_type)
        return kind.label if kind else task.task_type

    @admin.display(description="State", ordering="status")
    def state(self, task: ScheduledTask) -> SafeString:
        return badge(task.get_status_display().lower(), BADGES.get(task.status, ""))

    @admin.display(description="Next turn", ordering="run_at")
    def next_turn(self, task: ScheduledTask) -> Any:
        waits = task.status in (ScheduledStatus.PENDING, ScheduledStatus.RETRY_SCHEDULED)
        return task.run_at if waits and task.is_active else "–"

    @admin.display(description="When")
    def when(self, task: ScheduledTask) -> str:
        return recurrence.describe(task.cron) if task.schedule_type == ScheduleKind.RECURRING else "Once"

    @admin.action(description="Run now", permissions=["change"])
    def run_chosen(self, request: HttpRequest, chosen: Any) -> None:
        run = [services.run_now(task) for task in chosen]
        messages.success(request, f"{len(run):,} {'task runs' if len(run) == 1 else 'tasks run'} within seconds.")

    @admin.action(description="Try failed tasks again now", permissions=["change"])
    def try_again(self, request: HttpRequest, chosen: Any) -> None:
        tried = [services.retry(task) for task in chosen.filter(status=ScheduledStatus.FAILED)]
        messages.success(request, f"{len(tried):,} {'task is' if len(tried) == 1 else 'tasks are'} tried again.")

    # --- pages ----------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        own = [
            path("turns/", self.admin_site.admin_view(self.turns_view), name="automations_scheduledtask_turns"),
            path("<int:pk>/run/", self.admin_site.admin_view(self.run_view), name="automations_scheduledtask_run"),
        ]
        return [*own, *super().get_urls()]

    def page_context(self, request: HttpRequest, task: ScheduledTask) -> dict[str, Any]:
        return {
            "task": task,
            "badge": self.state(task),
            "next_turn": self.next_turn(task),
            "tries": [(row, badge(row.get_status_display().lower(), _tone(row))) for row in _tries(task)],
            "may_change": self.has_change_permission(request, task),
        }

    def run_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """One POST lets the task have its turn at once."""
        task = ScheduledTask.objects.filter(pk=pk).first()
        if task is None:
            raise Http404
        if request.method != "POST" or not self.has_change_permission(request, task):
            raise PermissionDenied
        services.run_now(task)
        messages.success(request, f"“{task}” runs within seconds.")
        return HttpResponseRedirect(reverse("admin:automations_scheduledtask_change", args=[task.pk]))

    def turns_view(self, request: HttpRequest) -> HttpResponse:
        """The recurrence that stands in the form, in words, with its next turns."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        zone = request.GET.get("timezone", "") or Organization.objects.get().timezone
        context: dict[str, Any] = {"is_recurring": request.GET.get("schedule_type") == ScheduleKind.RECURRING}
        cron = request.GET.get("cron", "").strip()
        if context["is_recurring"] and cron:
            try:
                found = recurrence.parse(cron, zone)
                turns = [
                    f"{turn.astimezone(found.zone):%a %-d %b %Y, %H:%M}"
                    for turn in found.turns(clock.now(), TURNS_SHOWN)
                ]
                context |= {"words": recurrence.describe(cron), "turns": turns, "zone": zone}
            except Invalid as error:
                context["problem"] = error.message
        return TemplateResponse(request, "automations/scheduled_turns_part.html", context)

    # --- writes ---------------------------------------------------------------------------------------

    def save_model(self, request: HttpRequest, obj: ScheduledTask, form: Any, change: bool) -> None:
        try:
            if change:
                services.reschedule(ScheduledTask.objects.get(pk=obj.pk), form.values())
            else:
                obj.pk = services.schedule(form.values()).pk
        except AppError as error:
            raise beside_fields(form.placed(error), {}) from error

    def delete_model(self, request: HttpRequest, obj: ScheduledTask) -> None:
        services.unschedule(obj)


def _tries(task: ScheduledTask) -> Any:
    return task.tries.order_by("-pk")[:TRIES_SHOWN]


def _tone(row: Any) -> str:
    return "good" if row.status == ScheduledStatus.COMPLETED else BADGES[row.status]
