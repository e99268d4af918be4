"""`/api/v1/automations/scheduled-tasks/` (work set for later) and `/api/v1/tasks/` (work of colleagues)."""

from __future__ import annotations

import django_filters
from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from automations import services
from automations.api import shapes
from automations.models import ScheduledTask, Task
from common.api.views import ApiViewSet


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

    class Meta:
        model = Task
        fields = ["status", "task_type", "priority", "assignee_id", "contact_id", "due_before"]


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

    def _task(self, pk: str) -> Task:
        task = self.get_queryset().filter(pk=int(pk)).first()
        if task is None:
            raise Http404
        return task
