"""`/api/v1/segments/patterns/` and `suggestions/`: what was found, computing again, drafts."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.views import ApiView
from common.models import WorkStatus
from segments import rules
from segments.api import shapes
from segments.models import AnalysisKind, Finding
from segments.patterns import analyses, selectors, services
from segments.rules import catalogue

KEY = OpenApiParameter("key", str, OpenApiParameter.PATH)


class FindingSerializer(serializers.ModelSerializer):  # type: ignore[type-arg]
    sentence = serializers.SerializerMethodField()
    rule = serializers.JSONField(allow_null=True, help_text="Null where the draft is a list of today's people.")
    evidence = serializers.DictField(help_text="Thresholds, or lift with its 95 % interval (`lift`, `low`, `high`).")
    segment = serializers.IntegerField(
        source="segment_id", allow_null=True, help_text="The segment that was made of it."
    )

    class Meta:
        model = Finding
        fields = ["key", "group", "title", "reason", "rule", "sentence", "size", "evidence", "segment"]

    def get_sentence(self, finding: Finding) -> str:
        """The rule in plain language; empty without a rule."""
        return rules.describe(finding.rule, self.context["catalogue"]) if finding.rule else ""


class MissingSerializer(serializers.Serializer):  # type: ignore[type-arg]
    group = serializers.CharField()
    title = serializers.CharField()
    reason = serializers.CharField(help_text="What there is too little of, with the numbers.")


class AnalysisReportSerializer(serializers.Serializer):  # type: ignore[type-arg]
    status = serializers.CharField(help_text="pending, done, failed, or empty: never asked for.")
    computed_at = serializers.DateTimeField(allow_null=True)
    error = serializers.CharField()
    settings = serializers.DictField(help_text="Which event was a purchase, its money, and so on.")
    summary = serializers.DictField(help_text="Counts, the RFM grid, what was compared.")
    results = FindingSerializer(many=True)
    missing = MissingSerializer(many=True)


class AskedSerializer(serializers.Serializer):  # type: ignore[type-arg]
    status = serializers.ChoiceField(choices=[WorkStatus.PENDING.value])


class SquareInput(serializers.Serializer):  # type: ignore[type-arg]
    r = serializers.IntegerField(min_value=1, max_value=5, help_text="How lately, 5 is best.")
    f = serializers.IntegerField(min_value=1, max_value=5, help_text="How often.")
    m = serializers.IntegerField(min_value=1, max_value=5, required=False, help_text="For how much.")


class _AnalysisView(ApiView):
    resource = "segments"
    kind: AnalysisKind

    def get(self, request: Request) -> Response:
        """What the last computation found."""
        return Response(_told(selectors.report(self.kind)))

    def post(self, request: Request) -> Response:
        """Have it computed again in the background; `status` goes to `done`."""
        return Response({"status": analyses.request(self.kind).status}, status=202)


class PatternsView(_AnalysisView):
    """Ready patterns with thresholds computed from this organisation's purchases, and the RFM grid."""

    kind = AnalysisKind.PATTERNS

    @extend_schema(operation_id="segments_patterns_read", responses=AnalysisReportSerializer)
    def get(self, request: Request) -> Response:
        return super().get(request)

    @extend_schema(operation_id="segments_patterns_compute", request=None, responses={202: AskedSerializer})
    def post(self, request: Request) -> Response:
        return super().post(request)


class SuggestionsView(_AnalysisView):
    """Segments worth making: what sets those apart who reach the goal, and groups of people who behave alike."""

    kind = AnalysisKind.SUGGESTIONS

    @extend_schema(operation_id="segments_suggestions_read", responses=AnalysisReportSerializer)
    def get(self, request: Request) -> Response:
        return super().get(request)

    @extend_schema(operation_id="segments_suggestions_compute", request=None, responses={202: AskedSerializer})
    def post(self, request: Request) -> Response:
        return super().post(request)


class PatternDraftView(ApiView):
    """A segment of a pattern."""

    resource = "segments"

    @extend_schema(
        operation_id="segments_patterns_draft",
        request=None,
        parameters=[KEY],
        responses={201: shapes.SegmentSerializer},
    )
    def post(self, request: Request, key: str) -> Response:
        """An inactive segment with the pattern's rule; asked twice, it is the same one."""
        return _draft(AnalysisKind.PATTERNS, key)


class SuggestionDraftView(ApiView):
    """A segment of a suggestion."""

    resource = "segments"

    @extend_schema(
        operation_id="segments_suggestions_draft",
        request=None,
        parameters=[KEY],
        responses={201: shapes.SegmentSerializer},
    )
    def post(self, request: Request, key: str) -> Response:
        """An inactive segment with the suggestion's rule; asked twice, it is the same one."""
        return _draft(AnalysisKind.SUGGESTIONS, key)


class SquareDraftView(ApiView):
    """A segment of a square of the RFM grid."""

    resource = "segments"

    @extend_schema(
        operation_id="segments_patterns_square_draft",
        request=SquareInput,
        responses={201: shapes.SegmentSerializer},
    )
    def post(self, request: Request) -> Response:
        """An inactive segment with the rule of the square."""
        said = shapes.read(SquareInput, request.data)
        squares = selectors.report(AnalysisKind.PATTERNS).grid
        segment = services.create_square_draft(squares, said["r"], said["f"], said.get("m"))
        return Response(shapes.SegmentSerializer(segment).data, status=201)


def _draft(kind: AnalysisKind, key: str) -> Response:
    segment = services.create_draft(selectors.finding(kind, key))
    return Response(shapes.SegmentSerializer(segment).data, status=201)


def _told(report: selectors.Report) -> dict[str, Any]:
    summary = {name: value for name, value in (report.summary or {}).items() if name not in ("settings", "missing")}
    context = {"catalogue": catalogue.load()}
    return {
        "status": report.status,
        "computed_at": report.computed_at,
        "error": report.error,
        "settings": (report.summary or {}).get("settings", {}),
        "summary": summary,
        "results": FindingSerializer(report.findings, many=True, context=context).data,
        "missing": report.missing,
    }
