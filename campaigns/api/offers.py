"""What belongs to offers beside their campaign: lists of codes, and reports of apps many at a time."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Q
from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from campaigns import services
from campaigns.api import serializers as shapes
from campaigns.models import Campaign, Offer
from campaigns.services import offer_codes
from common.api.shapes import StrictSerializer
from common.api.views import ApiView
from common.errors import AppError, NotFound

MOST_REPORTS = 200


class CodesInput(StrictSerializer):
    codes = serializers.ListField(
        child=serializers.CharField(max_length=200), min_length=1, max_length=offer_codes.MOST_CODES
    )


class CodesSerializer(serializers.Serializer):  # type: ignore[type-arg]
    added = serializers.IntegerField(help_text="New ones; those the offer had already are passed over.")
    code_count = serializers.IntegerField()
    free_count = serializers.IntegerField(help_text="Not given to anybody yet.")


class OfferCodesView(ApiView):
    """The list that an offer's codes are drawn from, one per person."""

    resource = "campaigns"

    @extend_schema(
        request=CodesInput, responses=CodesSerializer,
        parameters=[OpenApiParameter(name, int, OpenApiParameter.PATH) for name in ("pk", "offer")],
    )  # fmt: skip
    def post(self, request: Request, pk: str, offer: str) -> Response:
        """Add codes; people who wait for one get it at once."""
        row = Offer.objects.filter(pk=int(offer), campaign=int(pk)).select_related("campaign").first()
        if row is None:
            raise Http404
        read = CodesInput(data=request.data)
        read.is_valid(raise_exception=True)
        added = offer_codes.add(row, read.validated_data["codes"])
        counts = row.code_rows.aggregate(code_count=Count("pk"), free_count=Count("pk", filter=Q(target=None)))
        return Response({"added": added, **counts})


class ReportInput(shapes.ConversionInput):
    type = serializers.ChoiceField(choices=["view", "conversion"])
    campaign_id = serializers.IntegerField(min_value=1, max_value=2**63 - 1)


class ReportsInput(StrictSerializer):
    reports = ReportInput(many=True, min_length=1, max_length=MOST_REPORTS)


class ReportAnswerSerializer(serializers.Serializer):  # type: ignore[type-arg]
    is_taken = serializers.BooleanField(help_text="Whether it counts; a repeat does.")
    target = shapes.TargetSerializer(allow_null=True)
    code = serializers.CharField(help_text="Why not, as a word; empty where it counts.")
    message = serializers.CharField(help_text="… and in a sentence.")


class ReportsAnswerSerializer(serializers.Serializer):  # type: ignore[type-arg]
    results = ReportAnswerSerializer(many=True, help_text="In the order of the reports.")


class OfferReportsView(ApiView):
    """Views and conversions, many at a time: for apps that were offline and for tills."""

    resource = "campaigns"

    @extend_schema(request=ReportsInput, responses=ReportsAnswerSerializer)
    def post(self, request: Request) -> Response:
        """Each is judged by itself: one that is refused does not stop the others."""
        read = ReportsInput(data=request.data)
        read.is_valid(raise_exception=True)
        reports = read.validated_data["reports"]
        known = Campaign.objects.in_bulk({report["campaign_id"] for report in reports})
        return Response({"results": [_answer(report, known.get(report["campaign_id"])) for report in reports]})


def _answer(report: dict[str, Any], campaign: Campaign | None) -> dict[str, Any]:
    try:
        if campaign is None:
            raise NotFound(f"There is no campaign {report['campaign_id']}.")
        who = shapes.who(report)
        is_view = report["type"] == "view"
        target = (
            services.record_view(campaign, who)
            if is_view
            else services.record_conversion(campaign, who, shapes.taken(report))
        )
    except AppError as refusal:
        return {"is_taken": False, "target": None, "code": refusal.code, "message": refusal.message}
    return {"is_taken": True, "target": shapes.TargetSerializer(target).data, "code": "", "message": ""}
