"""`/api/v1/analysis/`, `auto-presets/` and `campaigns/manual`: campaigns that are made from what people did."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from campaigns.api.serializers import CampaignSerializer, OfferSerializer
from campaigns.api.shapes import VersionSerializer
from campaigns.auto import cycles, manual, presets
from campaigns.models import AnalysisCycle, ApprovalPolicy, AutoFinding, AutoPreset, OfferKind, Outcome, PresetKind
from campaigns.services import OfferDraft
from common.api.shapes import StrictSerializer
from common.api.views import ApiView, ApiViewSet
from common.models import WorkStatus


class AutoFindingSerializer(serializers.ModelSerializer):  # type: ignore[type-arg]
    preset = serializers.ChoiceField(source="preset.kind", choices=PresetKind.choices)
    campaign_id = serializers.IntegerField(allow_null=True, help_text="The campaign that was made of it.")
    outcome = serializers.ChoiceField(choices=Outcome.choices)
    target_count = serializers.IntegerField(help_text="Who stands in the campaign, held out or not.")

    class Meta:
        model = AutoFinding
        fields = ["preset", "outcome", "sentence", "found_count", "already_count", "target_count", "held_out_count",
                  "transaction_count", "spent_minor", "currency", "reason", "campaign_id", "decided_at"]  # fmt: skip


class CycleSerializer(serializers.ModelSerializer):  # type: ignore[type-arg]
    status = serializers.ChoiceField(choices=WorkStatus.choices, help_text="Goes from pending to done, or failed.")
    summary = serializers.DictField(help_text="What was read: customers, transactions, currency, the window.")
    results = AutoFindingSerializer(source="findings", many=True)

    class Meta:
        model = AnalysisCycle
        fields = ["id", "day", "status", "rounds", "run_at", "started_at", "finished_at", "error", "summary",
                  "results"]  # fmt: skip


class CycleViewSet(ApiViewSet):
    """The nightly analysis: what each cycle read, found and made."""

    resource = "campaigns"
    serializer_class = CycleSerializer
    queryset = AnalysisCycle.objects.none()
    lookup_value_regex = "[0-9]{1,18}"

    def get_queryset(self) -> Any:
        return AnalysisCycle.objects.prefetch_related("findings__preset")

    def list(self, request: Request) -> Response:
        """Newest first."""
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(request=None, responses={202: CycleSerializer})
    @action(detail=False, methods=["post"], url_path="run-now")
    def run_now(self, request: Request) -> Response:
        """Have today's cycle computed in the background. The answer has its state, and what it made so far."""
        cycle = self.get_queryset().get(pk=cycles.request().pk)
        return Response(self.get_serializer(cycle).data, status=202)


class PresetSerializer(serializers.ModelSerializer):  # type: ignore[type-arg]
    kind = serializers.ChoiceField(choices=PresetKind.choices)
    policy = serializers.ChoiceField(choices=ApprovalPolicy.choices)
    offer_kind = serializers.ChoiceField(choices=OfferKind.choices)
    template_id = serializers.IntegerField(allow_null=True)
    offer = serializers.SerializerMethodField()

    class Meta:
        model = AutoPreset
        fields = ["kind", "name", "policy", *presets.CONDITIONS, "least_people", "offer", "offer_kind",
                  "offer_value", "offer_unit", "duration_days", "holdout_percent", "template_id", "cooldown_days",
                  "version", "updated_at"]  # fmt: skip

    def get_offer(self, preset: AutoPreset) -> str:
        """What it offers, in words."""
        return presets.offer(preset)


class PresetInput(VersionSerializer):
    also_accepts = frozenset({"kind", "offer", "updated_at"})

    name = serializers.CharField(max_length=120, required=False)
    policy = serializers.ChoiceField(choices=ApprovalPolicy.choices, required=False)
    least_spent_minor = serializers.IntegerField(allow_null=True, required=False, min_value=1, max_value=10**15)
    least_transactions = serializers.IntegerField(allow_null=True, required=False, min_value=1, max_value=10**6)
    fewer_than_transactions = serializers.IntegerField(allow_null=True, required=False, min_value=2, max_value=10**6)
    most_locations = serializers.IntegerField(allow_null=True, required=False, min_value=1, max_value=10**6)
    inactive_days = serializers.IntegerField(allow_null=True, required=False, min_value=1, max_value=365)
    growth_percent = serializers.IntegerField(allow_null=True, required=False, min_value=0, max_value=10_000)
    is_for_favourite = serializers.BooleanField(required=False)
    least_people = serializers.IntegerField(required=False, min_value=1, max_value=10**6)
    offer_kind = serializers.ChoiceField(choices=OfferKind.choices, required=False)
    offer_value = serializers.DecimalField(max_digits=12, decimal_places=2, required=False)
    offer_unit = serializers.CharField(max_length=20, required=False)
    duration_days = serializers.IntegerField(required=False, min_value=1, max_value=365)
    holdout_percent = serializers.DecimalField(
        max_digits=4, decimal_places=1, required=False, min_value=0, max_value=50
    )
    template_id = serializers.IntegerField(allow_null=True, required=False)
    cooldown_days = serializers.IntegerField(required=False, min_value=0, max_value=365)


class PresetViewSet(ApiViewSet):
    """The seven automatic campaigns: whom each looks for, and what it offers."""

    resource = "campaigns"
    serializer_class = PresetSerializer
    queryset = AutoPreset.objects.none()
    lookup_field = "kind"
    lookup_value_regex = "[a-z0-9_]{1,20}"
    filter_backends = ()
    pagination_class = None

    def get_object(self) -> AutoPreset:
        said = self.kwargs["kind"]  # its name, or its id
        preset = next((row for row in presets.presets() if said in (row.kind, str(row.pk))), None)
        if preset is None:
            raise Http404
        return preset

    @extend_schema(responses=PresetSerializer(many=True))
    def list(self, request: Request) -> Response:
        """All seven, in their order."""
        return Response({"results": PresetSerializer(presets.presets(), many=True).data})

    def retrieve(self, request: Request, kind: str) -> Response:
        return Response(PresetSerializer(self.get_object()).data)

    @extend_schema(request=PresetInput)
    def partial_update(self, request: Request, kind: str) -> Response:
        """From the next cycle on. With `version` refused (409) when somebody else changed it meanwhile."""
        data = PresetInput(data=request.data, partial=True)
        data.is_valid(raise_exception=True)
        changes = dict(data.validated_data)
        version = changes.pop("version", None)
        return Response(
            PresetSerializer(presets.save_preset(self.get_object(), changes, expected_version=version)).data
        )


class ManualInput(StrictSerializer):
    name = serializers.CharField(max_length=200)
    description = serializers.CharField(allow_blank=True, required=False)
    segment_id = serializers.IntegerField(required=False, min_value=1, max_value=2**63 - 1)
    filter = serializers.JSONField(required=False, help_text="A rule instead: whoever it finds now.")
    offer = OfferSerializer()
    duration_days = serializers.IntegerField(min_value=1, max_value=730)
    template_id = serializers.IntegerField(required=False, allow_null=True, help_text="Sent to them, too.")
    holdout_percent = serializers.DecimalField(
        max_digits=4, decimal_places=1, required=False, min_value=0, max_value=50
    )


class ManualView(ApiView):
    """A campaign in one call."""

    resource = "campaigns"

    @extend_schema(request=ManualInput, responses={201: CampaignSerializer})
    def post(self, request: Request) -> Response:
        """A segment or a filter, an offer and a duration; the campaign is active at once."""
        read = ManualInput(data=request.data)
        read.is_valid(raise_exception=True)
        data = read.validated_data
        values = {
            name: data[name] for name in ("name", "description", "template_id", "holdout_percent") if name in data
        }
        offer = OfferDraft(**data["offer"] | {"scope": tuple(data["offer"]["scope"])})
        campaign = manual.launch(
            values, [offer], data["duration_days"], segment_id=data.get("segment_id"), rule=data.get("filter")
        )
        campaign.refresh_from_db()
        return Response(CampaignSerializer(campaign).data, status=201)
