"""Tables of the ground and of the libraries we use, in our shell. No role covers the libraries': superusers only."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django_celery_beat import admin as beat
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)
from rest_framework_simplejwt.token_blacklist import admin as tokens
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts.admin_base import OrganizationModelAdmin, ReadOnlyMixin
from common import outbox
from common.models import NoticeDelivery
from marketing_site import beat as codes

for model in (PeriodicTask, IntervalSchedule, CrontabSchedule, SolarSchedule, ClockedSchedule):
    admin.site.unregister(model)
for model in (OutstandingToken, BlacklistedToken):
    admin.site.unregister(model)


class TaskSelectWidget(UnfoldAdminSelectWidget, beat.TaskSelectWidget):
    pass


class PeriodicTaskForm(beat.PeriodicTaskForm):
    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        if "regtask" in self.fields:  # only where the row may be changed
            self.fields["task"].widget = UnfoldAdminTextInputWidget()
            self.fields["regtask"].widget = TaskSelectWidget()

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"])
        if name.startswith(codes.CODE):
            raise forms.ValidationError(
                f"Names that begin with “{codes.CODE.strip()}” belong to Groundswell's own jobs."
            )
        return name


class WhoseFilter(admin.SimpleListFilter):
    title = "whose"
    parameter_name = "whose"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("people", "People's"), ("code", "Groundswell's own")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[PeriodicTask]) -> QuerySet[PeriodicTask]:
        if self.value() == "code":
            return queryset.filter(name__startswith=codes.CODE)
        return queryset.exclude(name__startswith=codes.CODE) if self.value() == "people" else queryset


@admin.register(PeriodicTask)
class PeriodicTaskAdmin(OrganizationModelAdmin, beat.PeriodicTaskAdmin):
    """People's rows are theirs; Groundswell's own are shown, and kept by the code (`marketing_site.beat`)."""

    form = PeriodicTaskForm
    change_form_template = None
    date_hierarchy = None
    list_display = ["name", "whose", "enabled", "scheduler", "last_run_at", "total_run_count"]
    list_filter = [WhoseFilter, "enabled"]
    actions = ["enable_tasks", "disable_tasks", "toggle_tasks", "run_tasks"]

    @admin.display(description="Whose")
    def whose(self, row: PeriodicTask) -> str:
        return "Groundswell's own" if codes.is_codes(row) else "People's"

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not codes.is_codes(obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not codes.is_codes(obj) and super().has_delete_permission(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[PeriodicTask]) -> None:
        super().delete_queryset(request, self._peoples(request, queryset))

    @admin.action(description="Switch on")
    def enable_tasks(self, request: HttpRequest, queryset: QuerySet[PeriodicTask]) -> None:
        super().enable_tasks(request, self._peoples(request, queryset))

    @admin.action(description="Switch off")
    def disable_tasks(self, request: HttpRequest, queryset: QuerySet[PeriodicTask]) -> None:
        super().disable_tasks(request, self._peoples(request, queryset))

    @admin.action(description="Switch the other way")
    def toggle_tasks(self, request: HttpRequest, queryset: QuerySet[PeriodicTask]) -> None:
        super().toggle_tasks(request, self._peoples(request, queryset))

    def _peoples(self, request: HttpRequest, queryset: QuerySet[PeriodicTask]) -> QuerySet[PeriodicTask]:
        left = queryset.filter(name__startswith=codes.CODE).count()
        if left:
            said = "1 job of Groundswell's own is" if left == 1 else f"{left} jobs of Groundswell's own are"
            messages.warning(request, f"{said} left as the code says.")
        return queryset.exclude(name__startswith=codes.CODE)


class KeepsCodes:
    """A time that one of Groundswell's own jobs runs at: to change it would change the job, to delete it the same."""

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not _is_used_by_code(obj) and super().has_change_permission(request, obj)  # type: ignore[misc]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not _is_used_by_code(obj) and super().has_delete_permission(request, obj)  # type: ignore[misc]

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        free = [row.pk for row in queryset if not _is_used_by_code(row)]
        super().delete_queryset(request, queryset.filter(pk__in=free))  # type: ignore[misc]


def _is_used_by_code(row: Any) -> bool:
    return row is not None and row.periodictask_set.filter(name__startswith=codes.CODE).exists()


@admin.register(CrontabSchedule)
class CrontabScheduleAdmin(KeepsCodes, OrganizationModelAdmin, beat.CrontabScheduleAdmin):
    pass


@admin.register(IntervalSchedule, SolarSchedule)
class ScheduleAdmin(KeepsCodes, OrganizationModelAdmin):
    pass


@admin.register(ClockedSchedule)
class ClockedScheduleAdmin(KeepsCodes, OrganizationModelAdmin, beat.ClockedScheduleAdmin):
    pass


@admin.register(OutstandingToken)
class OutstandingTokenAdmin(OrganizationModelAdmin, tokens.OutstandingTokenAdmin):
    pass


@admin.register(BlacklistedToken)
class BlacklistedTokenAdmin(OrganizationModelAdmin, tokens.BlacklistedTokenAdmin):
    pass


@admin.register(NoticeDelivery)
class NoticeDeliveryAdmin(ReadOnlyMixin, OrganizationModelAdmin):
    """Announcements on their way between rooms; the failed ones are dead letters that somebody may send again."""

    list_display = ["subscriber", "status", "attempts", "run_at", "error"]
    list_filter = ["status"]
    search_fields = ["subscriber"]
    ordering = ["-pk"]
    actions = ["replay"]
    empty_hint = "Announcements between rooms appear here while they are on their way, and for a week after."

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("common.change_noticedelivery")  # type: ignore[union-attr]

    @admin.action(description="Hand over again", permissions=["replay"])
    def replay(self, request: HttpRequest, queryset: QuerySet[NoticeDelivery]) -> None:
        count = outbox.replay(queryset)
        messages.success(request, f"{count} will be handed over again within seconds.")
