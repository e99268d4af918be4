"""Scheduled tasks: what is set for later, and how it went."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from accounts.admin_base import OrganizationModelAdmin
from automations import recurrence, services
from automations.admin.parts import ReadableJSONField, badge, beside_fields
from automations.models import ScheduledStatus, ScheduledTask, ScheduleKind
from automations.services.kinds import KINDS
from common.errors import AppError

BADGES = {"pending": "good", "retry_scheduled": "warning", "failed": "critical"}


class ScheduledTaskForm(forms.ModelForm):  # type: ignore[type-arg]
    task_type = forms.ChoiceField(
        label="What to do",
        choices=[(name, kind.label) for name, kind in KINDS.items()],
        widget=UnfoldAdminSelectWidget,
    )
    payload = ReadableJSONField(
        widget=UnfoldAdminTextareaWidget(attrs={"class": "gs-code", "rows": 6, "spellcheck": "false"}),
        help_text='JSON, such as {"automation_id": 1, "contact_ids": [7, 8]}.',
    )
    delay_seconds = forms.IntegerField(
        required=False, min_value=0, widget=UnfoldAdminIntegerFieldWidget, help_text="For once, after a delay."
    )

    class Meta:
        model = ScheduledTask
        fields = [
            "name", "task_type", "payload", "schedule_type", "run_at", "delay_seconds", "cron", "timezone",
            "priority", "most_retries", "is_active",
        ]  # fmt: skip

    def values(self) -> dict[str, Any]:
        """What the service is told: only the time that this kind of schedule takes, and only when it changed."""
        taken = {"once": {"run_at"}, "delayed": {"delay_seconds"}, "recurring": {"cron", "timezone"}}
        times = taken.get(self.cleaned_data.get("schedule_type", ""), set())
        every = {"run_at", "delay_seconds", "cron", "timezone", "schedule_type"}
        changed = every & set(self.changed_data) or self.instance.pk is None
        wanted = (set(self.fields) - every) | ((times | {"schedule_type"}) if changed else set())
        return {name: value for name, value in self.cleaned_data.items() if name in wanted and value is not None}


@admin.register(ScheduledTask)
class ScheduledTaskAdmin(OrganizationModelAdmin):
    """Things to do at a time: once, after a delay, again and again."""

    form = ScheduledTaskForm
    list_display = ["name", "task_type", "state", "next_turn", "when", "priority", "attempts", "error"]
    list_filter = ["status", "schedule_type", "task_type", "is_active"]
    search_fields = ["name", "error"]
    ordering = ["-pk"]
    actions = ["try_again"]
    empty_hint = "Set something for later: start a workflow, send a template, update contacts."

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

    @admin.action(description="Try failed tasks again now", permissions=["change"])
    def try_again(self, request: HttpRequest, chosen: Any) -> None:
        tried = [services.retry(task) for task in chosen.filter(status=ScheduledStatus.FAILED)]
        messages.success(request, f"{len(tried):,} {'task is' if len(tried) == 1 else 'tasks are'} tried again.")

    def save_model(self, request: HttpRequest, obj: ScheduledTask, form: Any, change: bool) -> None:
        try:
            if change:
                services.reschedule(ScheduledTask.objects.get(pk=obj.pk), form.values())
            else:
                obj.pk = services.schedule(form.values()).pk
        except AppError as error:
            raise beside_fields(error, {}) from error

    def delete_model(self, request: HttpRequest, obj: ScheduledTask) -> None:
        services.unschedule(obj)
