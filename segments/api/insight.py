"""What `/api/v1/segments/{reference}/…` tells about a segment: why, log, growth, overlap, composition, versions."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from common.errors import Invalid
from segments import selectors, services
from segments.api import insight_shapes as told
from segments.api import shapes
from segments.insight import composition, explanation, growth, movements, overlap, versions

VERSION = OpenApiParameter("number", int, OpenApiParameter.PATH)
WITH = OpenApiParameter("with", str, required=True, description="Up to four ids or slugs, separated by commas.")


class ExplainQuery(serializers.Serializer):  # type: ignore[type-arg]
    contact = serializers.IntegerField(min_value=1, max_value=2**63 - 1)


class GrowthQuery(serializers.Serializer):  # type: ignore[type-arg]
    days = serializers.IntegerField(
        required=False, min_value=1, max_value=growth.MOST_DAYS, default=growth.DEFAULT_DAYS
    )


class ExactQuery(serializers.Serializer):  # type: ignore[type-arg]
    exact = serializers.BooleanField(required=False, default=False, help_text="Count everybody instead of a sample.")


class InsightActions:
    """Mixed into the viewset of segments."""

    @extend_schema(parameters=[ExplainQuery], responses=told.ExplanationShape)
    @action(detail=True, methods=["get"], pagination_class=None, filterset_class=None)
    def explain(self, request: Request, reference: str) -> Response:
        """Why a contact is in the segment or is not: condition by condition, with what decided each."""
        segment = selectors.find(reference)
        contact = explanation.find_contact(_query(ExplainQuery, request)["contact"])
        return Response(told.ExplanationShape(explanation.explain(segment, contact)).data)

    @extend_schema(parameters=[told.HistoryQuery], responses=told.MovementsShape)
    @action(detail=True, methods=["get"], pagination_class=None, filterset_class=None)
    def history(self, request: Request, reference: str) -> Response:
        """Who entered and left, newest first."""
        segment, query = selectors.find(reference), _query(told.HistoryQuery, request)
        changes = (query["change"],) if "change" in query else movements.CHANGES
        wanted = movements.Wanted(changes, query.get("since"), query.get("until"), query.get("contact"))
        page = movements.page(segment, wanted, query["cursor"], query["limit"])
        links = {"next": _link(request, page.older), "previous": _link(request, page.newer)}
        return Response(told.MovementsShape({"results": page.movements, **links}).data)

    @extend_schema(parameters=[GrowthQuery], responses=told.GrowthShape)
    @action(detail=True, methods=["get"], pagination_class=None, filterset_class=None)
    def growth(self, request: Request, reference: str) -> Response:
        """Entered, left and size by day, the oldest day first."""
        days = _query(GrowthQuery, request)["days"]
        return Response(told.GrowthShape(growth.growth(selectors.find(reference), days)).data)

    @extend_schema(parameters=[WITH, ExactQuery], responses=told.OverlapShape)
    @action(detail=True, methods=["get"], pagination_class=None, filterset_class=None)
    def overlap(self, request: Request, reference: str) -> Response:
        """Who stands in which combination of this and up to four other segments.

        Of more than 200,000 memberships from a sample, with its error; `exact=true` counts everybody, in seconds.
        """
        segment = selectors.find(reference)
        references = [text for text in request.query_params.get("with", "").split(",") if text]
        if not references:
            raise Invalid("Name the segments to compare with.", details={"with": "Ids or slugs, with commas."})
        chosen = overlap.chosen(segment, references)
        is_exact = _query(ExactQuery, request, beside="with")["exact"]
        return Response(told.OverlapShape(overlap.overlap(chosen, is_exact=is_exact)).data)

    @extend_schema(parameters=[ExactQuery], responses=told.CompositionShape(many=True))
    @action(detail=True, methods=["get"], pagination_class=None, filterset_class=None)
    def composition(self, request: Request, reference: str) -> Response:
        """What the members are like, beside everybody: the most frequent values of each field.

        Among more than 50,000 contacts from a sample, with its error; `exact=true` counts everybody, in seconds.
        """
        is_exact = _query(ExactQuery, request)["exact"]
        found = composition.composition(selectors.find(reference), is_exact=is_exact)
        return Response(told.CompositionShape(found, many=True).data)

    @extend_schema(responses=told.VersionShape(many=True))
    @action(detail=True, methods=["get"], pagination_class=None, filterset_class=None)
    def versions(self, request: Request, reference: str) -> Response:
        """The latest versions of the rule, newest first, each with what changed since the one before."""
        found = versions.versions(selectors.find(reference))
        return Response(told.VersionShape(found, many=True).data)

    @extend_schema(parameters=[VERSION], request=None, responses=shapes.SegmentSerializer)
    @action(detail=True, methods=["post"], url_path=r"versions/(?P<number>[0-9]{1,9})/restore")
    def restore(self, request: Request, reference: str, number: str) -> Response:
        """Make the rule of an earlier version the current one, as a new version; built in the background."""
        segment = services.restore_version(selectors.find(reference), int(number))
        return Response(shapes.SegmentSerializer(segment).data)


def _query(serializer_class: Any, request: Request, beside: str = "") -> dict[str, Any]:
    """The query as the serializer reads it; `beside` is a word that is read elsewhere."""
    given = {key: value for key, value in request.query_params.dict().items() if key != beside}
    return shapes.read(serializer_class, given)


def _link(request: Request, cursor: str) -> str | None:
    if not cursor:
        return None
    return request.build_absolute_uri(f"?{urlencode({**request.query_params.dict(), 'cursor': cursor})}")
