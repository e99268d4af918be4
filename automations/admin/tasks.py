"""Tasks to work: whose, due when, done with one click."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from accounts.admin_base import OrganizationModelAdmin
from automations import days, services
from automations.admin.parts import badge, beside_fields, own_member
from automations.models import Task, TaskStatus
from common.errors import AppError

FIELDS = {"contact": "contact_id", "assignee": "assignee_id"}


class WhoseFilter(admin.SimpleListFilter):
    title = "whose"
    parameter_name = "whose"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("mine", "My tasks"), ("nobody", "Nobody's")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Task]) -> QuerySet[Task]:
        if self.value() == "mine":
            return queryset.filter(assignee=own_member(request), assignee__isnull=False)
        return queryset.filter(assignee=None) if self.value() == "nobody" else queryset


class DueFilter(admin.SimpleListFilter):
    title = "due"
    parameter_name = "due"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("overdue", "Overdue"), ("today", "Today"), ("week", "In the next 7 days")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Task]) -> QuerySet[Task]:
        today = days.today()
        if self.value() == "overdue":
            return queryset.filter(due_date__lt=today, status=TaskStatus.OPEN)
        if self.value() == "today":
            return queryset.filter(due_date=today)
        if self.value() == "week":
            return queryset.filter(due_date__range=(today, today + timedelta(days=7)))
        return queryset


@admin.register(Task)
class TaskAdmin(OrganizationModelAdmin):
    """Work of colleagues about contacts, the most pressing first."""

    list_display = ["title", "contact", "due", "priority", "assignee", "state", "task_type"]
    list_filter = [WhoseFilter, DueFilter, "status", "outcome", "priority", "task_type"]
    search_fields = ["title", "description", "contact__name", "contact__email"]
    list_select_related = ["contact", "assignee__user"]
    ordering = [F("status").desc(), F("due_date").asc(nulls_last=True), "pk"]
    raw_id_fields = ["contact"]
    fields = [
        "title", "description", "contact", "assignee", "due_date", "snoozed_until", "priority",
        "task_type", "status", "outcome",
    ]  # fmt: skip
    actions = ["finish", "take"]
    empty_hint = "Nothing to do. Workflows put tasks here with the step Create task, or add one yourself."

    @admin.display(description="Due", ordering="due_date")
    def due(self, task: Task) -> str | SafeString:
        if task.due_date is None:
            return "–"
        text = f"{task.due_date:%-d %b %Y}"
        is_late = task.status == TaskStatus.OPEN and task.due_date < days.today()
        return badge(f"{text}, overdue", "critical") if is_late else text

    @admin.display(description="State", ordering="status")
    def state(self, task: Task) -> SafeString:
        return badge(task.get_status_display().lower(), "good" if task.status == TaskStatus.OPEN else "")

    @admin.action(description="Mark as done", permissions=["change"])
    def finish(self, request: HttpRequest, chosen: QuerySet[Task]) -> None:
        done = [services.finish(task) for task in chosen.filter(status=TaskStatus.OPEN)]
        messages.success(request, f"{len(done):,} {'task is' if len(done) == 1 else 'tasks are'} done.")

    @admin.action(description="Assign to me", permissions=["change"])
    def take(self, request: HttpRequest, chosen: QuerySet[Task]) -> None:
        member = own_member(request)
        if member is None:
            messages.error(request, "You have no seat in this organisation, so nothing can be assigned to you.")
            return
        taken = [services.update_task(task, {"assignee_id": member.pk}) for task in chosen]
        messages.success(request, f"{len(taken):,} {'task is' if len(taken) == 1 else 'tasks are'} yours now.")

    def save_model(self, request: HttpRequest, obj: Task, form: Any, change: bool) -> None:
        values = {FIELDS.get(name, name): getattr(obj, FIELDS.get(name, name)) for name in form.cleaned_data}
        try:
            if change:
                services.update_task(Task.objects.get(pk=obj.pk), values)
            else:
                obj.pk = services.create_task(values).pk
        except AppError as error:
            raise beside_fields(error, {service: field for field, service in FIELDS.items()}) from error

    def delete_model(self, request: HttpRequest, obj: Task) -> None:
        services.delete_task(obj)
