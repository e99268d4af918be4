"""`/api/v1/automations/scheduled-tasks/` (work set for later) and `/api/v1/tasks/` (work of colleagues)."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import Q, QuerySet
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Member
from automations import days, services
from automations.api import shapes
from automations.models import ScheduledTask, Task, TaskStatus
from automations.selectors import desk
from common.api.views import ApiViewSet
from common.errors import Invalid

MOST_NOTES = 200


class ScheduledTaskFilter(django_filters.FilterSet):
    class Meta:
        model = ScheduledTask
        fields = ["status", "schedule_type", "task_type", "is_active"]


class ScheduledTaskViewSet(ApiViewSet):
    """Things to do at a time: once, after a delay, or again and again."""

    resource = "automations"
    serializer_class = shapes.ScheduledTaskSerializer
    filterset_class = ScheduledTaskFilter
    lookup_value_regex = "[0-9]{1,18}"

    def get_queryset(self) -> QuerySet[ScheduledTask]:
        return ScheduledTask.objects.all()

    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(self.get_serializer(self._task(pk)).data)

    @extend_schema(request=shapes.ScheduledTaskInput, responses={201: shapes.ScheduledTaskSerializer})
    def create(self, request: Request) -> Response:
        task = services.schedule(shapes.read(shapes.ScheduledTaskInput, request))
        return Response(self.get_serializer(task).data, status=201)

    @extend_schema(request=shapes.ScheduledTaskInput)
    def update(self, request: Request, pk: str) -> Response:
        values = shapes.read(shapes.ScheduledTaskInput, request)
        return Response(self.get_serializer(services.reschedule(self._task(pk), values)).data)

    @extend_schema(request=shapes.ScheduledTaskInput)
    def partial_update(self, request: Request, pk: str) -> Response:
        """A new time makes a finished task wait again."""
        values = shapes.read(shapes.ScheduledTaskInput, request, partial=True)
        return Response(self.get_serializer(services.reschedule(self._task(pk), values)).data)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        services.unschedule(self._task(pk))
        return Response(status=204)

    @extend_schema(request=None, responses=shapes.ProcessedSerializer, filters=False)
    @action(detail=False, methods=["post"], url_path="process-due", pagination_class=None, filterset_class=None)
    def process_due(self, request: Request) -> Response:
        """Do what is due here and now, instead of with the next sweep; at most 1,000 tasks."""
        done = services.process_due()
        return Response(shapes.ProcessedSerializer({"processed": len(done), "results": done}).data)

    def _task(self, pk: str) -> ScheduledTask:
        task = self.get_queryset().filter(pk=int(pk)).first()
        if task is None:
            raise Http404
        return task


class TaskFilter(django_filters.FilterSet):
    due_before = django_filters.DateFilter(field_name="due_date", lookup_expr="lt")
    assignee_id = django_filters.NumberFilter()
    contact_id = django_filters.NumberFilter()
    automation_id = django_filters.NumberFilter()
    due = django_filters.BooleanFilter(method="filter_due", label="Open, not snoozed, and due today or before.")
    overdue = django_filters.BooleanFilter(method="filter_overdue", label="Open and due before today.")
    snoozed = django_filters.BooleanFilter(method="filter_snoozed", label="Put off beyond today.")
    mine = django_filters.BooleanFilter(method="filter_mine", label="Of the member who asks; for tokens of members.")

    class Meta:
        model = Task
        fields = [
            "status", "outcome", "task_type", "priority", "assignee_id", "contact_id", "automation_id", "due_before",
        ]  # fmt: skip

    def filter_due(self, tasks: QuerySet[Task], name: str, value: bool) -> QuerySet[Task]:
        today = days.today()
        is_due = Q(status=TaskStatus.OPEN, due_date__lte=today) & desk.in_sight(today)
        return tasks.filter(is_due) if value else tasks.exclude(is_due)

    def filter_overdue(self, tasks: QuerySet[Task], name: str, value: bool) -> QuerySet[Task]:
        is_overdue = Q(status=TaskStatus.OPEN, due_date__lt=days.today())
        return tasks.filter(is_overdue) if value else tasks.exclude(is_overdue)

    def filter_snoozed(self, tasks: QuerySet[Task], name: str, value: bool) -> QuerySet[Task]:
        awake = desk.in_sight(days.today())
        return tasks.exclude(awake) if value else tasks.filter(awake)

    def filter_mine(self, tasks: QuerySet[Task], name: str, value: bool) -> QuerySet[Task]:
        own = Q(assignee_id=_own_seat(self.request))
        return tasks.filter(own) if value else tasks.exclude(own)


def _own_seat(request: Any) -> int:
    """The seat of the member who asks. Raises `Invalid` for a key, which is nobody's."""
    seat = Member.objects.filter(user_id=request.user.pk, is_active=True).first() if request.user.pk else None
    if seat is None:
        sentence = "a key is no member; use assignee_id, or a member's token"
        raise Invalid(f"mine: {sentence}", details={"mine": sentence})
    return seat.pk


class TaskViewSet(ApiViewSet):
    """Work of colleagues about contacts."""

    resource = "tasks"
    serializer_class = shapes.TaskSerializer
    filterset_class = TaskFilter
    lookup_value_regex = "[0-9]{1,18}"

    def get_queryset(self) -> QuerySet[Task]:
        return Task.objects.all()

    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(self.get_serializer(self._task(pk)).data)

    @extend_schema(request=shapes.TaskInput, responses={201: shapes.TaskSerializer})
    def create(self, request: Request) -> Response:
        task = services.create_task(shapes.read(shapes.TaskInput, request))
        return Response(self.get_serializer(task).data, status=201)

    @extend_schema(request=shapes.TaskInput)
    def update(self, request: Request, pk: str) -> Response:
        values = shapes.read(shapes.TaskInput, request)
        return Response(self.get_serializer(services.update_task(self._task(pk), values)).data)

    @extend_schema(request=shapes.TaskInput)
    def partial_update(self, request: Request, pk: str) -> Response:
        values = shapes.read(shapes.TaskInput, request, partial=True)
        return Response(self.get_serializer(services.update_task(self._task(pk), values)).data)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        services.delete_task(self._task(pk))
        return Response(status=204)

    @extend_schema(request=shapes.DoneInput, responses=shapes.TaskSerializer)
    @action(detail=True, methods=["post"])
    def done(self, request: Request, pk: str) -> Response:
        """Finish an open task and say what came of it; its contact gets the event `task_completed`."""
        values = shapes.read(shapes.DoneInput, request)
        return Response(self.get_serializer(services.finish(self._task(pk), **values)).data)

    @extend_schema(request=shapes.SnoozeInput, responses=shapes.TaskSerializer)
    @action(detail=True, methods=["post"])
    def snooze(self, request: Request, pk: str) -> Response:
        """Put an open task out of sight until a day after today."""
        values = shapes.read(shapes.SnoozeInput, request)
        return Response(self.get_serializer(services.snooze(self._task(pk), **values)).data)

    @extend_schema(request=shapes.ReassignInput, responses=shapes.TaskSerializer)
    @action(detail=True, methods=["post"])
    def reassign(self, request: Request, pk: str) -> Response:
        """Hand an open task to a member, or to nobody."""
        values = shapes.read(shapes.ReassignInput, request)
        return Response(self.get_serializer(services.reassign(self._task(pk), **values)).data)

    @extend_schema(methods=["GET"], responses=shapes.TaskNoteSerializer(many=True), filters=False)
    @extend_schema(methods=["POST"], request=shapes.NoteInput, responses={201: shapes.TaskNoteSerializer})
    @action(detail=True, methods=["get", "post"], filterset_class=None, pagination_class=None)
    def notes(self, request: Request, pk: str) -> Response:
        """What colleagues wrote beside a task, newest first (the last 200); or one more word."""
        task = self._task(pk)
        if request.method == "POST":
            note = services.add_note(task, **shapes.read(shapes.NoteInput, request))
            return Response(shapes.TaskNoteSerializer(note).data, status=201)
        return Response(shapes.TaskNoteSerializer(task.notes.order_by("-pk")[:MOST_NOTES], many=True).data)

    def _task(self, pk: str) -> Task:
        task = self.get_queryset().filter(pk=int(pk)).first()
        if task is None:
            raise Http404
        return task
