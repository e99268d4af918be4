"""How this room looks over HTTP. Money is in minor units; rates are 0–1 and null of nothing."""

from __future__ import annotations

from rest_framework import serializers

from attribution.domain.models import attribution_models
from attribution.domain.returns import Tier
from attribution.models import CHANNELS, Conversion, Cost, Credit, Touchpoint, TouchpointKind
from common.api.shapes import StrictSerializer

BIGGEST = 2**63 - 1
STOP_KINDS = [*TouchpointKind.choices, ("conversion", "Conversion")]


class RowsSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """The list of rows behind a figure."""

    admin = serializers.CharField()
    api = serializers.CharField(help_text="Empty where the API has no such list.")


class LeftOutSerializer(serializers.Serializer):  # type: ignore[type-arg]
    what = serializers.ChoiceField(choices=["conversions", "costs"])
    currency = serializers.CharField()
    count = serializers.IntegerField()
    amount_minor = serializers.IntegerField()


class TotalsSerializer(serializers.Serializer):  # type: ignore[type-arg]
    conversions = serializers.IntegerField()
    revenue_minor = serializers.IntegerField(help_text="After refunds.")
    refunded_minor = serializers.IntegerField()
    unattributed_conversions = serializers.IntegerField(help_text="No touchpoint within the look-back.")
    unattributed_minor = serializers.IntegerField()
    pending_conversions = serializers.IntegerField(help_text="Credits are being drawn: figures may still move.")
    left_out = LeftOutSerializer(many=True, help_text="In other currencies: kept, and not in the totals.")


class CampaignReturnSerializer(serializers.Serializer):  # type: ignore[type-arg]
    campaign_id = serializers.IntegerField()
    name = serializers.CharField()
    sends = serializers.IntegerField()
    opened = serializers.IntegerField()
    clicked = serializers.IntegerField()
    open_rate = serializers.FloatField(allow_null=True)
    click_rate = serializers.FloatField(allow_null=True)
    conversion_rate = serializers.FloatField(allow_null=True, help_text="Credited conversions per message sent.")
    conversions = serializers.FloatField(help_text="Credited, in parts where efforts share one.")
    new_customers = serializers.FloatField(help_text="Credited first conversions of a contact.")
    revenue_minor = serializers.IntegerField()
    cost_minor = serializers.IntegerField()
    roi_percent = serializers.FloatField(allow_null=True, help_text="(revenue − cost) ÷ cost, in per cent.")
    roas = serializers.FloatField(allow_null=True, help_text="Revenue ÷ cost; the tier is judged by it.")
    cac_minor = serializers.IntegerField(allow_null=True, help_text="Cost per new customer.")
    tier = serializers.ChoiceField(choices=[tier.value for tier in Tier])
    rows = serializers.DictField(child=RowsSerializer())


class CampaignReportSerializer(serializers.Serializer):  # type: ignore[type-arg]
    model = serializers.ChoiceField(choices=list(attribution_models))
    currency = serializers.CharField()
    campaigns = CampaignReturnSerializer(many=True)
    total = CampaignReturnSerializer(help_text="Of all campaigns; campaign_id 0.")
    totals = TotalsSerializer()


class LineSerializer(serializers.Serializer):  # type: ignore[type-arg]
    channel = serializers.CharField()
    channel_label = serializers.CharField()
    campaign_id = serializers.IntegerField(allow_null=True)
    campaign_name = serializers.CharField(allow_blank=True)
    revenue_minor = serializers.DictField(child=serializers.IntegerField(), help_text="By model.")
    conversions = serializers.DictField(child=serializers.FloatField(), help_text="By model.")
    rows = serializers.DictField(child=RowsSerializer(), help_text="By model.")


class ModelSerializer(serializers.Serializer):  # type: ignore[type-arg]
    name = serializers.CharField()
    label = serializers.CharField()
    sentence = serializers.CharField()


class ComparisonSerializer(serializers.Serializer):  # type: ignore[type-arg]
    currency = serializers.CharField()
    models = ModelSerializer(many=True)
    channels = LineSerializer(many=True)
    lines = LineSerializer(many=True, help_text="By channel and campaign.")
    totals = TotalsSerializer()
    unattributed = RowsSerializer()


class TouchpointSerializer(serializers.ModelSerializer):  # type: ignore[type-arg]
    contact_id = serializers.IntegerField()
    campaign_id = serializers.IntegerField(allow_null=True)
    message_id = serializers.IntegerField(allow_null=True)

    class Meta:
        model = Touchpoint
        fields = [
            "id", "contact_id", "kind", "channel", "source", "medium", "campaign_id", "campaign_name", "message_id",
            "event_id", "happened_at",
        ]  # fmt: skip


class CreditSerializer(serializers.ModelSerializer):  # type: ignore[type-arg]
    touchpoint_id = serializers.IntegerField()

    class Meta:
        model = Credit
        fields = ["model", "touchpoint_id", "amount_minor", "share"]


class ConversionSerializer(serializers.ModelSerializer):  # type: ignore[type-arg]
    goal_id = serializers.IntegerField()
    contact_id = serializers.IntegerField()
    net_minor = serializers.IntegerField(help_text="Value less refunds: what the credits of each model sum to.")
    credits = CreditSerializer(many=True)

    class Meta:
        model = Conversion
        fields = [
            "id", "goal_id", "contact_id", "event_id", "order_id", "value_minor", "refunded_minor", "net_minor",
            "currency", "happened_at", "status", "credited_at", "credits",
        ]  # fmt: skip


class CreditOfSerializer(serializers.Serializer):  # type: ignore[type-arg]
    model = serializers.CharField()
    conversion_id = serializers.IntegerField()
    touchpoint_id = serializers.IntegerField()
    amount_minor = serializers.IntegerField()
    share = serializers.FloatField()


class StopSerializer(serializers.Serializer):  # type: ignore[type-arg]
    kind = serializers.ChoiceField(choices=STOP_KINDS)
    id = serializers.IntegerField(help_text="Of the touchpoint or conversion.")
    happened_at = serializers.DateTimeField()
    title = serializers.CharField()
    channel = serializers.CharField(allow_blank=True)
    campaign_id = serializers.IntegerField(allow_null=True)
    value_minor = serializers.IntegerField(allow_null=True)
    refunded_minor = serializers.IntegerField(allow_null=True)
    currency = serializers.CharField(allow_blank=True)
    is_attributed = serializers.BooleanField(allow_null=True)
    credits = CreditOfSerializer(many=True)


class JourneySerializer(serializers.Serializer):  # type: ignore[type-arg]
    contact_id = serializers.IntegerField()
    is_cut = serializers.BooleanField(help_text="Only the newest 200 touchpoints and conversions are listed.")
    stops = StopSerializer(many=True)


class CostSerializer(serializers.ModelSerializer):  # type: ignore[type-arg]
    campaign_id = serializers.IntegerField(allow_null=True)

    class Meta:
        model = Cost
        fields = ["id", "day", "campaign_id", "channel", "amount_minor", "currency", "note", "created_at"]


class CostInput(StrictSerializer):
    """A cost for the same day, campaign, channel and currency is replaced."""

    also_accepts = frozenset({"id", "created_at"})

    day = serializers.DateField()
    amount_minor = serializers.IntegerField(min_value=0, max_value=10**15)
    campaign_id = serializers.IntegerField(required=False, allow_null=True, min_value=1, max_value=BIGGEST)
    channel = serializers.ChoiceField(choices=CHANNELS, required=False, allow_blank=True)
    currency = serializers.RegexField("^[A-Za-z]{3}$", required=False, help_text="Default: the organisation's.")
    note = serializers.CharField(required=False, allow_blank=True, max_length=200)
