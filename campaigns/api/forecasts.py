"""How forecasts look over HTTP."""

from __future__ import annotations

from rest_framework import serializers

from campaigns.models import Campaign
from campaigns.selectors import audience_preview, forecast, told, track_record


class RangeSerializer(serializers.Serializer):  # type: ignore[type-arg]
    middle = serializers.FloatField(help_text="Half of the outcomes lie below.")
    low = serializers.FloatField(help_text="`level` of the outcomes lie between low and high.")
    high = serializers.FloatField()
    lowest = serializers.FloatField(help_text="95 % of the outcomes lie between lowest and highest.")
    highest = serializers.FloatField()


class ComparableSerializer(serializers.Serializer):  # type: ignore[type-arg]
    campaign_id = serializers.IntegerField(source="outcome.campaign_id")
    name = serializers.CharField(source="outcome.campaign.name")
    likeness = serializers.FloatField(help_text="0–1: how much of a campaign it counts as.")
    sent_count = serializers.IntegerField(source="outcome.sent_count")
    open_rate = serializers.FloatField(allow_null=True)
    click_rate = serializers.FloatField(allow_null=True)


class ToldSerializer(serializers.Serializer):  # type: ignore[type-arg]
    name = serializers.CharField(help_text="opens, clicks, conversions or revenue")
    foreseen = RangeSerializer()
    actual = serializers.IntegerField()
    held = serializers.BooleanField(allow_null=True, help_text="Whether low–high held it; null while it comes in.")


class TrackRecordSerializer(serializers.Serializer):  # type: ignore[type-arg]
    held = serializers.IntegerField()
    told = serializers.IntegerField()


class ForecastSerializer(serializers.Serializer):  # type: ignore[type-arg]
    reach = serializers.IntegerField(help_text="People a message gets through to now, without those held out.")
    opens = RangeSerializer(allow_null=True, help_text="People; null when nothing comparable is known.")
    clicks = RangeSerializer(allow_null=True)
    conversions = RangeSerializer(allow_null=True)
    revenue = RangeSerializer(allow_null=True, help_text="In minor units of `currency`.")
    currency = serializers.CharField()
    level = serializers.FloatField(help_text="0.8: eight of ten outcomes lie between low and high.")
    basis = serializers.CharField(help_text="What it was learnt from, as a sentence.")
    basis_count = serializers.IntegerField(help_text="Comparable campaigns.")
    conversion_word = serializers.CharField()
    comparables = ComparableSerializer(many=True, help_text="The most alike.")
    told = ToldSerializer(many=True, help_text="The forecast of the launch beside what came.")
    track_record = TrackRecordSerializer(help_text="Intervals of other campaigns that held what came.")


def forecast_answer(campaign: Campaign) -> dict[str, object]:
    """What `GET …/forecast/` says."""
    made = forecast(campaign, audience_preview(campaign))
    parts = {"told": told(campaign), "track_record": track_record(before=campaign)}
    names = [name for name in ForecastSerializer().fields if name not in parts]
    return dict(ForecastSerializer({name: getattr(made, name) for name in names} | parts).data)
