"""`/api/v1/automations/`: workflows, starting them, and what became of it."""

from __future__ import annotations

import django_filters
from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from automations import selectors, services
from automations.api import publishing, shapes
from automations.api.simulations import SimulationActions
from automations.models import Automation, AutomationRun, RunStatus
from common.api.views import ApiViewSet
from common.errors import Invalid


class AutomationFilter(django_filters.FilterSet):
    name = django_filters.CharFilter(lookup_expr="icontains")

    class Meta:
        model = Automation
        fields = ["name", "slug", "is_active", "trigger_type"]


class AutomationViewSet(SimulationActions, ApiViewSet):
    """Workflows: a trigger, and steps that follow it."""

    resource = "automations"
    reading_actions = ("walk",)
    serializer_class = shapes.AutomationSerializer
    filterset_class = AutomationFilter
    lookup_value_regex = "[0-9]{1,18}"

    def get_queryset(self) -> QuerySet[Automation]:
        return Automation.objects.select_related("current_version")

    def list(self, request: Request) -> Response:
        """Newest first; `limit` and `cursor` page."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    def retrieve(self, request: Request, pk: str) -> Response:
        return self._answer(self._automation(pk))

    @extend_schema(request=shapes.AutomationInput, responses={201: shapes.AutomationSerializer})
    def create(self, request: Request) -> Response:
        """Everything is checked; every problem comes back with its place, and then nothing is written."""
        return self._answer(services.create_automation(shapes.read(shapes.AutomationInput, request)), status=201)

    @extend_schema(request=shapes.AutomationInput)
    def update(self, request: Request, pk: str) -> Response:
        """Another trigger or other steps make a new version; people inside stay on theirs."""
        values = shapes.read(shapes.AutomationInput, request)
        return self._answer(services.update_automation(self._automation(pk), values))

    @extend_schema(request=shapes.AutomationInput)
    def partial_update(self, request: Request, pk: str) -> Response:
        """`{"is_active": false}` pauses: nobody enters, and those inside are held where they stand."""
        values = shapes.read(shapes.AutomationInput, request, partial=True)
        return self._answer(services.update_automation(self._automation(pk), values))

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Deletes the workflow with its runs; messages that have not gone out are cancelled."""
        services.delete_automation(self._automation(pk))
        return Response(status=204)

    @extend_schema(request=shapes.StartInput, responses={202: shapes.StartAnswer})
    @action(detail=True, methods=["post"])
    def trigger(self, request: Request, pk: str) -> Response:
        """Start contacts, whatever the trigger; the entry rule holds."""
        automation = self._automation(pk)
        data = shapes.read(shapes.StartInput, request)
        contact_ids = [*data.get("contact_ids", []), *selectors.contact_ids(data.get("user_ids", []))]
        if not contact_ids:
            raise Invalid("Name the contacts: contact_ids or user_ids.", details={"contact_ids": "is missing"})
        entered = services.start(automation, contact_ids)
        answer = {
            "entered": len(entered),
            "not_entered": len(set(contact_ids)) - len(entered),
            "run_ids": [one.run_id for one in entered],
        }
        return Response(shapes.StartAnswer(answer).data, status=202)

    @extend_schema(request=None, responses={200: shapes.StopAnswer})
    @action(detail=True, methods=["post"])
    def stop(self, request: Request, pk: str) -> Response:
        """Switch it off and take everybody out who is inside; messages of theirs that wait are withdrawn."""
        return Response(shapes.StopAnswer(services.stop(self._automation(pk))).data)

    @extend_schema(
        parameters=[OpenApiParameter("status", enum=RunStatus.values, description="Only runs in this state.")],
        responses=shapes.AutomationRunSerializer(many=True),
        filters=False,
    )
    @action(detail=True, methods=["get"], filterset_class=None)
    def runs(self, request: Request, pk: str) -> Response:
        """Who went through or is inside, newest first."""
        rows = (
            AutomationRun.objects.filter(automation=self._automation(pk))
            .select_related("version")
            .defer("version__document")
        )
        status = request.query_params.get("status")
        if status is not None and status not in RunStatus.values:
            raise Invalid(
                f'Unknown status "{status}".', details={"status": f"must be one of {', '.join(RunStatus.values)}"}
            )
        page = self.paginate_queryset(rows.filter(status=status) if status else rows)
        return self.get_paginated_response(shapes.AutomationRunSerializer(page, many=True).data)

    @extend_schema(request=publishing.PublishInput, responses={200: publishing.PublishAnswer})
    @action(detail=True, methods=["post"])
    def publish(self, request: Request, pk: str) -> Response:
        """Publish the draft, a flow that is sent, or an older version once more, and say what becomes of the people
        inside; `dry_run` answers what it would change and who stands where, and writes nothing."""
        return publishing.publish(request, self._automation(pk))

    @extend_schema(
        parameters=[
            OpenApiParameter("since", OpenApiTypes.DATE, description="First day of who came and left."),
            OpenApiParameter("until", OpenApiTypes.DATE, description="Last day of who came and left."),
        ],
        responses=publishing.VersionSerializer(many=True),
        filters=False,
    )
    @action(detail=True, methods=["get"], filterset_class=None, pagination_class=None)
    def versions(self, request: Request, pk: str) -> Response:
        """Every version with what became of the people in it, newest first."""
        return publishing.listing(request, self._automation(pk))

    @extend_schema(responses=publishing.WholeVersionSerializer)
    @action(detail=True, methods=["get"], url_path="versions/(?P<number>[0-9]{1,9})")
    def version(self, request: Request, pk: str, number: str) -> Response:
        """One version: its flow in the words in which it can be sent again, and its numbers per step."""
        return publishing.one(self._automation(pk), int(number))

    def _automation(self, pk: str) -> Automation:
        automation = self.get_queryset().filter(pk=int(pk)).first()
        if automation is None:
            raise Http404
        return automation

    def _answer(self, automation: Automation, status: int = 200) -> Response:
        return Response(self.get_serializer(self._automation(str(automation.pk))).data, status=status)
