"""`/api/v1/campaigns/calendar/`: what goes out when."""

from __future__ import annotations

from datetime import timedelta

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from campaigns.models import CampaignStatus
from campaigns.selectors.calendar import calendar
from common import clock
from common.api.shapes import StrictSerializer
from common.api.views import ApiView

DAYS = 30


class SpanInput(StrictSerializer):
    """Days in the organisation's zone, both included."""

    def get_fields(self) -> dict[str, serializers.Field]:  # type: ignore[type-arg]
        return {"from": serializers.DateField(required=False), "to": serializers.DateField(required=False)}


class EntrySerializer(serializers.Serializer):  # type: ignore[type-arg]
    campaign_id = serializers.IntegerField(source="campaign.pk")
    name = serializers.CharField(source="campaign.name")
    status = serializers.ChoiceField(choices=CampaignStatus.choices, source="campaign.status")
    kind = serializers.ChoiceField(choices=["plan", "send", "repeat", "offer"])
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField(allow_null=True, help_text="Of offers.")
    rivals = serializers.ListField(
        child=serializers.CharField(), help_text="Other campaigns of that day that write to one of its segments."
    )


class CalendarSerializer(serializers.Serializer):  # type: ignore[type-arg]
    results = EntrySerializer(many=True)


class CalendarView(ApiView):
    """The calendar of campaigns."""

    resource = "campaigns"

    @extend_schema(
        operation_id="campaigns_calendar",
        parameters=[
            OpenApiParameter("from", str, description="First day, such as 2026-11-01; today without it."),
            OpenApiParameter("to", str, description="Last day; 30 days later without it, at most 92."),
        ],
        responses=CalendarSerializer,
    )
    def get(self, request: Request) -> Response:
        """Sends, repetitions to come, drafts with a planned day, and offers while they stand; in order of time."""
        asked = SpanInput(data=request.query_params.dict())
        asked.is_valid(raise_exception=True)
        first = asked.validated_data.get("from") or clock.now().date()
        last = asked.validated_data.get("to") or first + timedelta(days=DAYS)
        return Response(CalendarSerializer({"results": calendar(first, last)}).data)
