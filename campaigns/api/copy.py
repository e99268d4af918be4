"""`/api/v1/copy/`: lines for a message, which one was taken, and how often such lines won."""

from __future__ import annotations

import django_filters
from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from campaigns.api.drafts import read
from campaigns.copy import asking, success, suggesting, testing
from campaigns.copy.forms import STATES
from campaigns.models import CopyKind, CopyRequest, CopyTest
from common.api.shapes import StrictSerializer
from common.api.views import ApiView, ApiViewSet
from delivery.domain.channels import CHANNELS

MOST_IDS = 50
LARGEST = 2**63 - 1
OUTCOMES = [success.WON, success.LOST, success.EVEN, success.OPEN, success.EXCLUDED]
STATE_CHOICES = [(state, state) for state in STATES if state]


def _ids(help_text: str) -> serializers.ListField:
    child = serializers.IntegerField(min_value=1, max_value=LARGEST)
    return serializers.ListField(child=child, required=False, max_length=MOST_IDS, help_text=help_text)


class CopyInput(StrictSerializer):
    kind = serializers.ChoiceField(choices=CopyKind.choices, default=CopyKind.SUBJECT)
    template_id = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=LARGEST,
        help_text="A template; words sent besides replace its own.",
    )
    subject = serializers.CharField(max_length=300, allow_blank=True, required=False)
    preheader = serializers.CharField(max_length=200, allow_blank=True, required=False)
    blocks = serializers.JSONField(required=False, allow_null=True, help_text="The tree of a mail.")
    html = serializers.CharField(max_length=500_000, allow_blank=True, required=False)
    text = serializers.CharField(max_length=500_000, allow_blank=True, required=False)
    locale = serializers.CharField(max_length=20, allow_blank=True, required=False, help_text="Empty: English.")
    channel = serializers.ChoiceField(choices=sorted(CHANNELS), required=False, help_text="Of a short text.")
    says = serializers.DictField(required=False, help_text="Of a short text: its fields, such as `text`.")
    state = serializers.ChoiceField(
        choices=STATE_CHOICES,
        required=False,
        allow_blank=True,
        help_text="Where the readers stand; not sent: looked up.",
    )
    campaign_id = serializers.IntegerField(
        required=False, min_value=1, max_value=LARGEST, help_text="Whose audience says where the readers stand."
    )
    segments = _ids("Or these segments.")
    state_segments = serializers.DictField(
        child=serializers.IntegerField(min_value=1, max_value=LARGEST), required=False,
        help_text='Adds one subject with a wording for each state, by segment: {"quiet": 12}.',
    )  # fmt: skip
    shown = serializers.ListField(
        child=serializers.CharField(max_length=500), required=False, max_length=100,
        help_text="Lines that are not proposed again.",
    )  # fmt: skip


class ChooseInput(StrictSerializer):
    variant = serializers.IntegerField(min_value=0, max_value=100, help_text="From 0.")


class CopyVariantSerializer(serializers.Serializer):  # type: ignore[type-arg]
    text = serializers.CharField(help_text="A template; a first name stands as a placeholder with a default.")
    preheader = serializers.CharField(help_text="Of a subject; may be empty.")
    form = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    length = serializers.IntegerField(help_text="Letters, a first name as six.")
    chance = serializers.FloatField(
        allow_null=True,
        help_text="To beat another of these; null: not ranked, or nobody has measured how sure that is.",
    )
    reasons = serializers.ListField(child=serializers.CharField())
    is_recommended = serializers.BooleanField()


class CopyRequestSerializer(serializers.ModelSerializer):  # type: ignore[type-arg]
    variants = CopyVariantSerializer(many=True)
    notes = serializers.ListField(child=serializers.CharField(), help_text="What a reader of the lines should know.")

    class Meta:
        model = CopyRequest
        fields = [
            "id", "template_id", "kind", "language", "state", "asked_by", "asked_at", "own", "source", "reason",
            "model", "variants", "notes", "input_tokens", "output_tokens", "cost_micro", "duration_ms", "chosen",
            "chosen_by", "chosen_at",
        ]  # fmt: skip


class CopyTestSerializer(serializers.ModelSerializer):  # type: ignore[type-arg]
    own_template_id = serializers.IntegerField(source="own_arm.payload.template_id")
    assistant_template_id = serializers.IntegerField(source="assistant_arm.payload.template_id")

    class Meta:
        model = CopyTest
        fields = [
            "id", "request_id", "variant", "experiment_id", "own_text", "assistant_text", "own_template_id",
            "assistant_template_id", "exclusion", "made_by", "made_at",
        ]  # fmt: skip


class CopyLiftSerializer(serializers.Serializer):  # type: ignore[type-arg]
    value = serializers.FloatField()
    low = serializers.FloatField()
    high = serializers.FloatField()


class CopyResultSerializer(serializers.Serializer):  # type: ignore[type-arg]
    test_id = serializers.IntegerField(source="test.pk")
    experiment_id = serializers.IntegerField(source="test.experiment_id")
    own_text = serializers.CharField(source="test.own_text")
    assistant_text = serializers.CharField(source="test.assistant_text")
    outcome = serializers.ChoiceField(choices=OUTCOMES)
    sentence = serializers.CharField()
    own_people = serializers.IntegerField()
    own_clicks = serializers.IntegerField()
    assistant_people = serializers.IntegerField()
    assistant_clicks = serializers.IntegerField()
    lift = CopyLiftSerializer(allow_null=True, help_text="Holds at any look.")


class CopySuccessSerializer(serializers.Serializer):  # type: ignore[type-arg]
    won = serializers.IntegerField()
    lost = serializers.IntegerField()
    even = serializers.IntegerField(help_text="Over without a proof: no success.")
    open = serializers.IntegerField()
    excluded = serializers.IntegerField(help_text="Decided when the test was made.")
    rate = serializers.FloatField(allow_null=True, help_text="won / (won + lost + even), from 0 to 1.")
    low = serializers.FloatField(allow_null=True, help_text="95 %.")
    high = serializers.FloatField(allow_null=True)
    lift = serializers.FloatField(allow_null=True, help_text="Mean over all started tests that count.")
    lift_low = serializers.FloatField(allow_null=True)
    lift_high = serializers.FloatField(allow_null=True)
    sentence = serializers.CharField()
    results = CopyResultSerializer(many=True)


class CopyFilter(django_filters.FilterSet):
    template_id = django_filters.NumberFilter(field_name="template_id")

    class Meta:
        model = CopyRequest
        fields = ["kind", "source", "template_id"]


@extend_schema_view(
    list=extend_schema(summary="What was asked of the copy assistant"),
    retrieve=extend_schema(summary="One question and its lines"),
)
class CopySuggestionViewSet(ApiViewSet):
    resource = "campaigns"
    serializer_class = CopyRequestSerializer
    filterset_class = CopyFilter
    lookup_value_regex = "[0-9]{1,18}"

    def get_queryset(self) -> QuerySet[CopyRequest]:
        return CopyRequest.objects.order_by("-pk")

    def list(self, request: Request) -> Response:
        """The youngest first."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(CopyRequestSerializer(page, many=True).data)

    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(CopyRequestSerializer(self._row(pk)).data)

    @extend_schema(summary="Lines for a message", request=CopyInput, responses={201: CopyRequestSerializer})
    def create(self, request: Request) -> Response:
        """Up to five that differ in form, ranked, the first recommended; kept in a log, nothing else is."""
        found = suggesting.suggest(asking.understood(read(CopyInput, request)))
        return Response(CopyRequestSerializer(found).data, status=201)

    @extend_schema(summary="Note which line was taken", request=ChooseInput, responses=CopyRequestSerializer)
    @action(detail=True, methods=["post"])
    def choose(self, request: Request, pk: str) -> Response:
        variant: int = read(ChooseInput, request)["variant"]
        return Response(CopyRequestSerializer(suggesting.choose(self._row(pk).pk, variant)).data)

    @extend_schema(
        summary="Test a line against the own subject", request=ChooseInput, responses={201: CopyTestSerializer}
    )
    @action(detail=True, methods=["post"])
    def test(self, request: Request, pk: str) -> Response:
        """Publishes the mail and a copy with the line as subject, the arms of a draft experiment. Once per line."""
        variant: int = read(ChooseInput, request)["variant"]
        return Response(CopyTestSerializer(testing.make(self._row(pk), variant)).data, status=201)

    def _row(self, pk: str) -> CopyRequest:
        row = self.get_queryset().filter(pk=int(pk)).first()
        if row is None:
            raise Http404
        return row


class CopySuccessView(ApiView):
    resource = "campaigns"

    @extend_schema(summary="How often the assistant's lines win", responses=CopySuccessSerializer)
    def get(self, request: Request) -> Response:
        """Over all started tests of its lines against people's wordings; none is dropped."""
        return Response(CopySuccessSerializer(success.success()).data)
