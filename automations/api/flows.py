"""Flows while they are written, told, pictured and carried: `/api/v1/automations/…`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from drf_spectacular.utils import OpenApiParameter, OpenApiTypes, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from automations import selectors
from automations.api import shapes
from automations.models import Automation, AutomationVersion, EntryRule
from automations.selectors.flows import flow_of_version, sentences
from automations.services import drafts, files
from common.api.shapes import StrictSerializer
from common.api.views import ApiViewSet
from common.errors import Invalid


class FlowSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """A flow in the words of `POST /automations/`, finished or not."""

    trigger_type = serializers.CharField()
    trigger_configuration = shapes.ObjectField(required=False)
    entry_rule = serializers.ChoiceField(choices=EntryRule.choices, required=False)
    entry_days = serializers.IntegerField(required=False)
    entry_key = serializers.CharField(required=False)
    goal_rule = shapes.ObjectField(required=False)
    exit_rule = shapes.ObjectField(required=False)
    actions = shapes.ActionsField()


@extend_schema_field(FlowSerializer)
class FlowField(serializers.JSONField):
    """A flow as it was sent; the services say what is wrong with it."""


class FlowStandingSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """The draft, or the current version where there is none."""

    flow = FlowField()
    revision = serializers.CharField(help_text="Send it back with changes: who was slower is told.")
    has_draft = serializers.BooleanField()
    version = serializers.IntegerField(allow_null=True, help_text="The version that people enter.")
    changed_at = serializers.DateTimeField(allow_null=True)
    changed_by = serializers.CharField(allow_blank=True)


class FlowDraftInput(StrictSerializer):
    flow = FlowField()
    revision = serializers.CharField(required=False, help_text="Of the state that was changed.")


class SentencesSerializer(serializers.Serializer):  # type: ignore[type-arg]
    trigger = serializers.CharField()
    entry = serializers.CharField(allow_blank=True)
    goal = serializers.CharField(allow_blank=True)
    exit = serializers.CharField(allow_blank=True)
    steps = serializers.DictField(child=serializers.CharField(), help_text="Step id → sentence.")


class FlowSketchSerializer(serializers.Serializer):  # type: ignore[type-arg]
    sentences = SentencesSerializer()
    problems = serializers.DictField(
        child=serializers.CharField(), help_text="Place, such as actions[0].configuration.template_id → sentence."
    )


class StepNumbersSerializer(serializers.Serializer):  # type: ignore[type-arg]
    now = serializers.IntegerField(help_text="People who stand there.")
    passed = serializers.IntegerField(help_text="How often it was done with.")
    failed = serializers.IntegerField(help_text="Dead letters that lie there.")
    conversion = serializers.FloatField(allow_null=True, help_text="Share of those who entered that came so far.")
    branches = serializers.DictField(child=serializers.IntegerField(), help_text="Branch → how often it was taken.")
    href = serializers.CharField(help_text="The page with the people who stand there.")


class FlowPictureSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """Who stands where in a version; with `flow=true` also the version itself."""

    version = serializers.IntegerField(allow_null=True, help_text="None where nothing was published yet.")
    entered = serializers.IntegerField()
    steps = serializers.DictField(child=StepNumbersSerializer(), help_text="Step id → its numbers.")
    flow = FlowField(required=False)
    sentences = SentencesSerializer(required=False)


class WorkflowFileSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """A workflow as it is carried: names of templates, segments, colleagues, offers and workflows in its flow."""

    format = serializers.IntegerField()
    kind = serializers.CharField(help_text="workflow")
    name = serializers.CharField()
    description = serializers.CharField(required=False, allow_blank=True)
    run_immediately = serializers.BooleanField(required=False)
    weight = serializers.IntegerField(required=False)
    shelf_hours = serializers.IntegerField(required=False, allow_null=True)
    holdout_percent = serializers.FloatField(required=False)
    flow = FlowField()


class ReadFileSerializer(serializers.Serializer):  # type: ignore[type-arg]
    flow = FlowField(help_text="In this organisation's numbers.")


class FlowViewSet(ApiViewSet):
    """The flow of a workflow: its draft, its picture, its file."""

    resource = "automations"
    serializer_class = FlowStandingSerializer
    lookup_value_regex = "[0-9]{1,18}"
    reading_actions = ("sketch", "read_file")
    filterset_class = None

    def get_queryset(self) -> QuerySet[Automation]:
        return Automation.objects.select_related("current_version")

    @extend_schema(responses=FlowStandingSerializer)
    @action(detail=True, methods=["get"])
    def draft(self, request: Request, pk: str) -> Response:
        """The flow as somebody is writing it, or as people enter it where nobody is."""
        return _standing(self._automation(pk))

    @extend_schema(request=FlowDraftInput, responses=FlowStandingSerializer)
    @draft.mapping.put
    def save_draft(self, request: Request, pk: str) -> Response:
        """Keep a flow, finished or not. Nobody feels anything of it until it is published."""
        data = shapes.read(FlowDraftInput, request)
        kept = drafts.save_draft(self._automation(pk), data["flow"], expected_revision=data.get("revision"))
        return _standing(kept)

    @extend_schema(responses=FlowStandingSerializer)
    @draft.mapping.delete
    def discard_draft(self, request: Request, pk: str) -> Response:
        """Throw the draft away; the flow is again what people enter."""
        return _standing(drafts.discard_draft(self._automation(pk)))

    @extend_schema(request=FlowSerializer, responses=FlowSketchSerializer)
    @action(detail=False, methods=["post"])
    def sketch(self, request: Request) -> Response:
        """What a flow says in sentences, and what is still to be mended, with places. It writes nothing."""
        if not isinstance(request.data, dict):
            raise Invalid("The flow must be an object with trigger_type and actions.")
        return Response(drafts.sketch(request.data))

    @extend_schema(
        parameters=[
            OpenApiParameter("version", OpenApiTypes.INT, description="Left out: the one that people enter."),
            OpenApiParameter("flow", OpenApiTypes.BOOL, description="Also tell the flow."),
        ],
        responses=FlowPictureSerializer,
    )
    @action(detail=True, methods=["get"])
    def picture(self, request: Request, pk: str) -> Response:
        """Who stands on which step, how many went through it and along each branch, and who failed."""
        version = _version(self._automation(pk), request.query_params.get("version"))
        if version is None:
            return Response({"version": None, "entered": 0, "steps": {}})
        answer: dict[str, Any] = {"version": version.number, **selectors.step_counts(version)}
        if request.query_params.get("flow") in ("true", "1"):
            flow = flow_of_version(version)
            answer |= {"flow": flow, "sentences": sentences(flow)}
        return Response(answer)

    @extend_schema(
        parameters=[OpenApiParameter("draft", OpenApiTypes.BOOL, description="The draft instead of the version.")],
        responses={(200, "application/json"): WorkflowFileSerializer},
    )
    @action(detail=True, methods=["get"])
    def export(self, request: Request, pk: str) -> HttpResponse:
        """The workflow as a file for another organisation: names stand where numbers differ, keys are sorted."""
        automation = self._automation(pk)
        text = files.export(automation, of_draft=request.query_params.get("draft") in ("true", "1"))
        answer = HttpResponse(text, content_type="application/json; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="{automation.slug}.json"'
        return answer

    @extend_schema(request=WorkflowFileSerializer, responses={201: shapes.AutomationSerializer})
    @action(detail=False, methods=["post"], url_path="import")
    def import_file(self, request: Request) -> Response:
        """A new workflow out of such a file, switched off. What is missing is named; then nothing is written."""
        return Response(shapes.AutomationSerializer(files.import_file(request.data)).data, status=201)

    @extend_schema(request=WorkflowFileSerializer, responses=ReadFileSerializer)
    @action(detail=False, methods=["post"], url_path="read-file")
    def read_file(self, request: Request) -> Response:
        """The flow of such a file in this organisation's numbers. It writes nothing."""
        return Response({"flow": files.read(request.data)})

    def _automation(self, pk: str) -> Automation:
        automation = self.get_queryset().filter(pk=int(pk)).first()
        if automation is None:
            raise Http404
        return automation


def _standing(automation: Automation) -> Response:
    return Response(FlowStandingSerializer(asdict(drafts.standing(automation))).data)


def _version(automation: Automation, number: str | None) -> AutomationVersion | None:
    if number is None:
        return automation.current_version
    is_number = number.isascii() and number.isdigit() and len(number) < 10
    found = automation.versions.filter(number=int(number)).first() if is_number else None
    if found is None:
        raise Http404
    return found
