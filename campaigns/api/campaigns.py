"""`/api/v1/campaigns`: broadcasts and offers, for marketers' tools and for client apps."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from audience.models import IdentityKind
from campaigns import selectors, services
from campaigns.api import forecasts, sending
from campaigns.api import serializers as shapes
from campaigns.api.shapes import VersionSerializer
from campaigns.auto import decisions
from campaigns.models import Campaign, CampaignStatus
from campaigns.services import merging
from campaigns.services.merging import Edit
from common.api.views import ApiViewSet
from common.errors import Invalid


class CampaignFilter(django_filters.FilterSet):
    status = django_filters.ChoiceFilter(choices=CampaignStatus.choices)
    name = django_filters.CharFilter(lookup_expr="icontains")
    contact = django_filters.CharFilter(
        method="offered_to",
        help_text="A contact's user id: the active offers it is eligible for or has seen, with `target_status`.",
    )

    class Meta:
        model = Campaign
        fields = ["status", "name", "contact"]

    def offered_to(self, queryset: QuerySet[Campaign], name: str, value: str) -> QuerySet[Campaign]:
        return selectors.offered_to(queryset, IdentityKind.USER_ID, value)


class CampaignViewSet(ApiViewSet):
    """Campaigns: what is said or offered to whom, and what came of it."""

    resource = "campaigns"
    serializer_class = shapes.CampaignSerializer
    filterset_class = CampaignFilter
    lookup_value_regex = "[0-9]{1,18}"

    def get_queryset(self) -> QuerySet[Campaign]:
        parts = ("audience", "offers", "experiment__arms")
        return Campaign.objects.select_related("preset", "experiment").prefetch_related(*parts)

    def list(self, request: Request) -> Response:
        """Newest first; `limit` and `cursor` page."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        selectors.personal_offers(page or [])  # type: ignore[arg-type]
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(self.get_serializer(self._campaign(pk)).data)

    @extend_schema(request=shapes.CampaignInput, responses={201: shapes.CampaignSerializer})
    def create(self, request: Request) -> Response:
        """A draft; nothing is sent until it is launched."""
        values, parts = shapes.draft(_read(shapes.CampaignInput, request))
        campaign = services.create_campaign(values, **parts)
        return self._answer(campaign, status=201)

    @extend_schema(request=shapes.CampaignInput)
    def update(self, request: Request, pk: str) -> Response:
        return self._update(request, pk, partial=False)

    @extend_schema(request=shapes.CampaignInput)
    def partial_update(self, request: Request, pk: str) -> Response:
        """With `version`, the change is refused (409) when somebody else changed the campaign meanwhile.

        `details` then holds what a client needs to merge: `current` (the campaign), `changed` (field → what it was at
        your version) and `clashes` (fields that you both changed).
        """
        return self._update(request, pk, partial=True)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Drafts only; a campaign that ran is archived instead."""
        services.delete_campaign(self._campaign(pk))
        return Response(status=204)

    # --- what a person does to it ---------------------------------------------------------------------

    @extend_schema(request=sending.LaunchInput, responses=shapes.CampaignSerializer)
    @action(detail=True, methods=["post"])
    def launch(self, request: Request, pk: str) -> Response:
        """Start now, or at `at`. The audience is fixed when it starts."""
        return self._launch(request, pk)

    @extend_schema(request=sending.LaunchInput, responses=shapes.CampaignSerializer)
    @action(detail=True, methods=["post"])
    def schedule(self, request: Request, pk: str) -> Response:
        """The same as launch, for those who look for the other word."""
        return self._launch(request, pk)

    @extend_schema(request=VersionSerializer, responses=shapes.CampaignSerializer)
    @action(detail=True, methods=["post"])
    def unschedule(self, request: Request, pk: str) -> Response:
        return self._act(services.unschedule, request, pk)

    @extend_schema(request=VersionSerializer, responses=shapes.CampaignSerializer)
    @action(detail=True, methods=["post"])
    def pause(self, request: Request, pk: str) -> Response:
        """Hold what has not left; nothing is lost."""
        return self._act(services.pause, request, pk)

    @extend_schema(request=VersionSerializer, responses=shapes.CampaignSerializer)
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, pk: str) -> Response:
        return self._act(services.resume, request, pk)

    @extend_schema(request=VersionSerializer, responses=shapes.CampaignSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Stop for good: what has not left is cancelled."""
        return self._act(services.cancel, request, pk)

    @extend_schema(request=VersionSerializer, responses=shapes.CampaignSerializer)
    @action(detail=True, methods=["post"])
    def complete(self, request: Request, pk: str) -> Response:
        """End an offer before its time."""
        return self._act(services.complete, request, pk)

    @extend_schema(request=VersionSerializer, responses=shapes.CampaignSerializer)
    @action(detail=True, methods=["post"])
    def archive(self, request: Request, pk: str) -> Response:
        return self._act(services.archive, request, pk)

    @extend_schema(request=VersionSerializer, responses=shapes.CampaignSerializer)
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, pk: str) -> Response:
        """Begin a proposal, for exactly the people that the analysis found."""
        return self._act(_approve, request, pk)

    @extend_schema(request=shapes.DeclineInput, responses=shapes.CampaignSerializer)
    @action(detail=True, methods=["post"])
    def decline(self, request: Request, pk: str) -> Response:
        """Put a proposal away, with the reason."""
        campaign = self._campaign(pk)
        data = _read(shapes.DeclineInput, request)
        return self._answer(decisions.decline(campaign, data["reason"], expected_version=data.get("version")))

    @extend_schema(request=sending.DecisionInput, responses=shapes.CampaignSerializer)
    @action(detail=True, methods=["post"])
    def decide(self, request: Request, pk: str) -> Response:
        """End the first test now: the rest gets this arm."""
        campaign = self._campaign(pk)
        data = _read(sending.DecisionInput, request)
        arm = campaign.experiment.arms.filter(key=data["arm"]).first() if campaign.experiment is not None else None
        if arm is None:
            raise Invalid(f"The campaign has no arm “{data['arm']}”.", details={"arm": "The key of one of its arms."})
        return self._answer(services.decide(campaign, arm, expected_version=data.get("version")))

    @extend_schema(request=None, responses={201: shapes.CampaignSerializer})
    @action(detail=True, methods=["post"])
    def duplicate(self, request: Request, pk: str) -> Response:
        """A new draft with the same words, audience and offers."""
        return self._answer(services.duplicate_campaign(self._campaign(pk)), status=201)

    # --- what one wants to know -----------------------------------------------------------------------

    @extend_schema(responses=shapes.AudiencePreviewSerializer)
    @action(detail=True, methods=["get"], url_path="audience-preview")
    def audience_preview(self, request: Request, pk: str) -> Response:
        """How many people a launch would touch now, and how many of them policy would refuse."""
        return Response(shapes.AudiencePreviewSerializer(selectors.audience_preview(self._campaign(pk))).data)

    @extend_schema(responses=forecasts.ForecastSerializer)
    @action(detail=True, methods=["get"])
    def forecast(self, request: Request, pk: str) -> Response:
        """Reach now, and opens, clicks, conversions and revenue with intervals learnt from comparable campaigns."""
        return Response(forecasts.forecast_answer(self._campaign(pk)))

    @extend_schema(responses=sending.ProgressSerializer)
    @action(detail=True, methods=["get"])
    def progress(self, request: Request, pk: str) -> Response:
        return Response(sending.ProgressSerializer(selectors.progress(self._campaign(pk))).data)

    @extend_schema(responses=shapes.ReportSerializer)
    @action(detail=True, methods=["get"])
    def report(self, request: Request, pk: str) -> Response:
        return Response(shapes.ReportSerializer(selectors.report(self._campaign(pk))).data)

    @extend_schema(responses=shapes.LiftSerializer)
    @action(detail=True, methods=["get"])
    def lift(self, request: Request, pk: str) -> Response:
        """What the campaign caused, by those held out of it: in conversions and in money, with intervals."""
        return Response(shapes.LiftSerializer(selectors.lift(self._campaign(pk))).data)

    # --- what client apps report ----------------------------------------------------------------------

    @extend_schema(request=shapes.WhoInput, responses=shapes.TargetSerializer)
    @action(detail=True, methods=["post"])
    def view(self, request: Request, pk: str) -> Response:
        """The contact saw the offer. Repeating it changes nothing."""
        campaign = self._campaign(pk)
        who = shapes.who(_read(shapes.WhoInput, request))
        return Response(shapes.TargetSerializer(services.record_view(campaign, who)).data)

    @extend_schema(request=shapes.ConversionInput, responses=shapes.TargetSerializer)
    @action(detail=True, methods=["post"])
    def conversion(self, request: Request, pk: str) -> Response:
        """The contact took the offer. Repeating it changes nothing; another `order_id` may take it again."""
        campaign = self._campaign(pk)
        data = _read(shapes.ConversionInput, request)
        target = services.record_conversion(campaign, shapes.who(data), shapes.taken(data))
        return Response(shapes.TargetSerializer(target).data)

    # --- shared ---------------------------------------------------------------------------------------

    def _campaign(self, pk: str) -> Campaign:
        campaign = self.get_queryset().filter(pk=int(pk)).first()
        if campaign is None:
            raise Http404
        return campaign

    def _answer(self, campaign: Campaign, status: int = 200) -> Response:
        return Response(self.get_serializer(self._campaign(str(campaign.pk))).data, status=status)

    def _launch(self, request: Request, pk: str) -> Response:
        campaign = self._campaign(pk)
        data = _read(sending.LaunchInput, request)
        launched = services.launch(campaign, at=data.get("at"), expected_version=data.get("version"))
        services.keep_forecast(launched)
        return self._answer(launched)

    def _act(self, service: Any, request: Request, pk: str) -> Response:
        campaign = self._campaign(pk)
        data = _read(VersionSerializer, request)
        return self._answer(service(campaign, expected_version=data.get("version")))

    def _update(self, request: Request, pk: str, *, partial: bool) -> Response:
        campaign = self._campaign(pk)
        data = _read(shapes.CampaignInput, request, partial=partial)
        values, parts = shapes.draft(data)
        edit = Edit(values, **parts)
        with merging.mergeable(campaign, edit, data.get("version"), lambda: self._current(pk)):
            campaign = services.update_campaign(campaign, values, **parts, expected_version=data.get("version"))
        return self._answer(campaign)

    def _current(self, pk: str) -> dict[str, Any]:
        return dict(self.get_serializer(self._campaign(pk)).data)


def _approve(campaign: Campaign, *, expected_version: int | None = None) -> Campaign:
    begun = decisions.approve(campaign, expected_version=expected_version)
    services.keep_forecast(begun)
    return begun


def _read(serializer_class: Any, request: Request, *, partial: bool = False) -> dict[str, Any]:
    serializer = serializer_class(data=request.data, partial=partial)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)
