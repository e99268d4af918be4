"""Tables of the ground and of the libraries we use, in our shell. No role covers the libraries': superusers only."""

from __future__ import annotations

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

for model in (PeriodicTask, IntervalSchedule, CrontabSchedule, SolarSchedule, ClockedSchedule):
    admin.site.unregister(model)
for model in (OutstandingToken, BlacklistedToken):
    admin.site.unregister(model)


class TaskSelectWidget(UnfoldAdminSelectWidget, beat.TaskSelectWidget):
    pass


class PeriodicTaskForm(beat.PeriodicTaskForm):
    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["task"].widget = UnfoldAdminTextInputWidget()
        self.fields["regtask"].widget = TaskSelectWidget()


@admin.register(PeriodicTask)
class PeriodicTaskAdmin(OrganizationModelAdmin, beat.PeriodicTaskAdmin):
    form = PeriodicTaskForm
    change_form_template = None
    date_hierarchy = None


@admin.register(CrontabSchedule)
class CrontabScheduleAdmin(OrganizationModelAdmin, beat.CrontabScheduleAdmin):
    pass


@admin.register(IntervalSchedule, SolarSchedule)
class ScheduleAdmin(OrganizationModelAdmin):
    pass


@admin.register(ClockedSchedule)
class ClockedScheduleAdmin(OrganizationModelAdmin, beat.ClockedScheduleAdmin):
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
