"""`/api/v1/attribution/…`: what earned the money."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import django_filters
from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins
from rest_framework.request import Request
from rest_framework.response import Response

from attribution import selectors, services
from attribution.api import serializers as shapes
from attribution.domain.models import DEFAULT_MODEL, attribution_models
from attribution.models import CHANNELS, MODELS, Conversion, Cost, Touchpoint, TouchpointKind
from attribution.selectors.conversions import narrow
from attribution.services import CostDraft
from audience.models import Contact
from common.api import periods
from common.api.pagination import CursorPages
from common.api.views import ApiView, ApiViewSet
from common.errors import Invalid

MODEL = OpenApiParameter("model", str, enum=list(attribution_models), description="Attribution model.")
GOAL = OpenApiParameter("goal", int, description="One goal; without it those that count as revenue.")
MOST_CAMPAIGNS = 1000


class CampaignReturns(ApiView):
    """What campaigns earned and cost in a period, best first."""

    resource = "attribution"

    @extend_schema(
        operation_id="attribution_campaigns",
        parameters=[
            *periods.PARAMETERS,
            MODEL,
            GOAL,
            OpenApiParameter("campaign", int, description="Only this campaign."),
            OpenApiParameter("limit", int, description=f"At most so many (1–{MOST_CAMPAIGNS}); totals are of all."),
        ],
        responses=shapes.CampaignReportSerializer,
    )
    def get(self, request: Request) -> Response:
        report = selectors.campaign_roi(
            periods.read(request.query_params),
            request.query_params.get("model") or DEFAULT_MODEL,
            goal_id=_number(request, "goal"),
            campaign_id=_number(request, "campaign"),
        )
        limit = min(_number(request, "limit") or MOST_CAMPAIGNS, MOST_CAMPAIGNS)
        shown = {**report.__dict__, "campaigns": report.campaigns[:limit]}
        return Response(shapes.CampaignReportSerializer(shown).data)


class Models(ApiView):
    """Revenue by channel and campaign in every attribution model, side by side."""

    resource = "attribution"

    @extend_schema(
        operation_id="attribution_models",
        parameters=[*periods.PARAMETERS, GOAL],
        responses=shapes.ComparisonSerializer,
    )
    def get(self, request: Request) -> Response:
        found = selectors.revenue_by_model(periods.read(request.query_params), goal_id=_number(request, "goal"))
        models = [
            {"name": name, "label": model.label, "sentence": model.sentence}
            for name, model in attribution_models.items()
        ]
        return Response(shapes.ComparisonSerializer({**found.__dict__, "models": models}).data)


class Journeys(ApiView):
    """The way of one contact, oldest stop first, with the credit drawn on it."""

    resource = "attribution"

    @extend_schema(
        operation_id="attribution_journey",
        parameters=[OpenApiParameter("contact", int, OpenApiParameter.PATH)],
        responses=shapes.JourneySerializer,
    )
    def get(self, request: Request, contact: str) -> Response:
        if not Contact.objects.filter(pk=int(contact)).exists():
            raise Http404
        return Response(shapes.JourneySerializer(asdict(selectors.journey(int(contact)))).data)


class ByTime(CursorPages):
    ordering = ("-happened_at", "-id")


class ConversionFilter(django_filters.FilterSet):
    happened_after = django_filters.IsoDateTimeFilter(field_name="happened_at", lookup_expr="gte")
    happened_before = django_filters.IsoDateTimeFilter(field_name="happened_at", lookup_expr="lt")
    goal = django_filters.NumberFilter(field_name="goal_id")
    contact = django_filters.NumberFilter(field_name="contact_id")
    currency = django_filters.CharFilter(lookup_expr="iexact")
    order_id = django_filters.CharFilter()
    model = django_filters.ChoiceFilter(choices=MODELS, method="credited", help_text="Credited in this model …")
    campaign = django_filters.NumberFilter(method="credited", help_text="… to this campaign,")
    channel = django_filters.ChoiceFilter(choices=CHANNELS, method="credited", help_text="… this channel,")
    campaign_name = django_filters.CharFilter(method="credited", help_text="… this campaign tag.")
    unattributed = django_filters.BooleanFilter(method="credited", help_text="Credited to nobody.")
    counted = django_filters.CharFilter(
        method="credited", help_text='"revenue": what totals count; a goal id: what they count for that goal.'
    )

    class Meta:
        model = Conversion
        fields: list[str] = []

    def credited(self, queryset: QuerySet[Conversion], name: str, value: Any) -> QuerySet[Conversion]:
        """One credit must meet all of it; `filter_queryset` narrows once."""
        return queryset

    def filter_queryset(self, queryset: QuerySet[Conversion]) -> QuerySet[Conversion]:
        words = {name: str(value) for name, value in self.form.cleaned_data.items() if value not in (None, "")}
        if "unattributed" in words:
            words["unattributed"] = words["unattributed"].lower()
        return narrow(super().filter_queryset(queryset), words)


class ConversionViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ApiViewSet):
    """Events that met a goal, with their credits by model."""

    resource = "attribution"
    queryset = Conversion.objects.prefetch_related("credits")
    serializer_class = shapes.ConversionSerializer
    filterset_class = ConversionFilter
    pagination_class = ByTime
    lookup_value_regex = "[0-9]{1,18}"


class TouchpointFilter(django_filters.FilterSet):
    happened_after = django_filters.IsoDateTimeFilter(field_name="happened_at", lookup_expr="gte")
    happened_before = django_filters.IsoDateTimeFilter(field_name="happened_at", lookup_expr="lt")
    contact = django_filters.NumberFilter(field_name="contact_id")
    campaign = django_filters.NumberFilter(field_name="campaign_id")
    channel = django_filters.ChoiceFilter(choices=CHANNELS)
    kind = django_filters.ChoiceFilter(choices=TouchpointKind.choices)

    class Meta:
        model = Touchpoint
        fields: list[str] = []


class TouchpointViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ApiViewSet):
    """Contacts' meetings with our marketing."""

    resource = "attribution"
    queryset = Touchpoint.objects.all()
    serializer_class = shapes.TouchpointSerializer
    filterset_class = TouchpointFilter
    pagination_class = ByTime
    lookup_value_regex = "[0-9]{1,18}"


class CostFilter(django_filters.FilterSet):
    day_after = django_filters.DateFilter(field_name="day", lookup_expr="gte")
    day_before = django_filters.DateFilter(field_name="day", lookup_expr="lte")
    campaign = django_filters.NumberFilter(field_name="campaign_id")
    channel = django_filters.ChoiceFilter(choices=CHANNELS)

    class Meta:
        model = Cost
        fields: list[str] = []


class CostViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ApiViewSet):
    """What campaigns and channels cost, by day."""

    resource = "attribution"
    queryset = Cost.objects.all()
    serializer_class = shapes.CostSerializer
    filterset_class = CostFilter
    lookup_value_regex = "[0-9]{1,18}"

    @extend_schema(request=shapes.CostInput, responses={201: shapes.CostSerializer})
    def create(self, request: Request) -> Response:
        """Store a cost; one for the same day, campaign, channel and currency is replaced."""
        serializer = shapes.CostInput(data=request.data)
        serializer.is_valid(raise_exception=True)
        cost = services.save_cost(CostDraft(**serializer.validated_data))
        return Response(self.get_serializer(cost).data, status=201)


def _number(request: Request, name: str) -> int | None:
    text = request.query_params.get(name, "")
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise Invalid("A number is wrong.", details={name: "Must be a whole number."})
    return int(text)
