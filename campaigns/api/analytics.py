"""`/api/v1/analytics`: all campaigns of a span in numbers."""

from __future__ import annotations

from datetime import timedelta

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from campaigns.selectors.analytics import analytics
from common import clock
from common.api.shapes import StrictSerializer
from common.api.views import ApiView
from common.errors import Invalid

USUAL = timedelta(days=30)


class SpanInput(StrictSerializer):
    since = serializers.DateTimeField(required=False)
    until = serializers.DateTimeField(required=False)


class CampaignSumsSerializer(serializers.Serializer):  # type: ignore[type-arg]
    campaign_count = serializers.IntegerField()
    target_count = serializers.IntegerField(help_text="People addressed; those held out are not.")
    held_out_count = serializers.IntegerField()
    view_count = serializers.IntegerField()
    conversion_count = serializers.IntegerField()
    view_rate = serializers.FloatField(allow_null=True, help_text="Of targets, 0–1.")
    conversion_rate = serializers.FloatField(allow_null=True, help_text="Conversions ÷ targets, 0–1.")
    revenue_minor = serializers.IntegerField(help_text="Of conversions in the organisation's currency.")


class CampaignsOfTypeSerializer(serializers.Serializer):  # type: ignore[type-arg]
    type = serializers.CharField(help_text="The kind of automatic campaign, `broadcast` or `offer`.")
    sums = CampaignSumsSerializer()


class AnalyticsSerializer(serializers.Serializer):  # type: ignore[type-arg]
    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    currency = serializers.CharField()
    by_status = serializers.DictField(child=serializers.IntegerField(), help_text="All campaigns there are now.")
    by_type = CampaignsOfTypeSerializer(many=True)
    total = CampaignSumsSerializer()


class AnalyticsView(ApiView):
    """Campaigns together."""

    resource = "campaigns"

    @extend_schema(
        parameters=[
            OpenApiParameter("since", str, description="ISO 8601; 30 days before `until` when empty."),
            OpenApiParameter("until", str, description="ISO 8601; now when empty."),
        ],
        responses=AnalyticsSerializer,
    )
    def get(self, request: Request) -> Response:
        """Of the campaigns that began in the span: targets, views, conversions, rates and revenue, by type."""
        read = SpanInput(data=request.query_params.dict())
        read.is_valid(raise_exception=True)
        until = read.validated_data.get("until", clock.now())
        since = read.validated_data.get("since", until - USUAL)
        if since >= until:
            raise Invalid("The span ends before it begins.", details={"since": "Choose an earlier moment."})
        return Response(AnalyticsSerializer(analytics(since, until)).data)
