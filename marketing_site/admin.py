"""Tables of the libraries we use, shown in our shell; superusers only, since no role covers them."""

from __future__ import annotations

from django.contrib import admin
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

from accounts.admin_base import OrganizationModelAdmin

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
