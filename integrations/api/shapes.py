"""The JSON of destinations and syncs. Secrets go in and never come out."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from audience.models import MessageChannel
from common.api.shapes import QuickModelSerializer, StrictSerializer
from integrations.models import AudienceSync, Destination, Push, SyncedContact
from integrations.providers import PROVIDERS

BIGGEST = 2**63 - 1


class SettingSerializer(serializers.Serializer):  # type: ignore[type-arg]
    name = serializers.CharField()
    label = serializers.CharField()
    help = serializers.CharField()
    is_secret = serializers.BooleanField()
    is_required = serializers.BooleanField()


class KindSerializer(serializers.Serializer):  # type: ignore[type-arg]
    kind = serializers.CharField()
    label = serializers.CharField()
    identifiers = serializers.ListField(child=serializers.CharField(), help_text="What it recognises people by.")
    settings = SettingSerializer(many=True)


class DestinationSerializer(QuickModelSerializer):
    settings = serializers.DictField(help_text="Without the secrets.")

    class Meta:
        model = Destination
        fields = ["id", "name", "kind", "settings", "created_at"]
        read_only_fields = fields


class DestinationChange(StrictSerializer):
    name = serializers.CharField(required=False, max_length=120)
    settings = serializers.DictField(
        required=False,
        child=serializers.CharField(allow_blank=True),
        help_text="As `kinds` tells them; an empty secret stays.",
    )


class DestinationInput(DestinationChange):
    name = serializers.CharField(max_length=120)
    kind = serializers.ChoiceField(choices=list(PROVIDERS))
    settings = serializers.DictField(child=serializers.CharField(allow_blank=True))


class CountsSerializer(serializers.Serializer):  # type: ignore[type-arg]
    in_audience = serializers.IntegerField(help_text="Told, and taken by the platform.")
    to_add = serializers.IntegerField()
    to_remove = serializers.IntegerField()
    refused = serializers.IntegerField(help_text="By the platform; see `contacts` with status=failed.")


class SyncSerializer(QuickModelSerializer):
    destination = serializers.IntegerField(source="destination_id")
    segment = serializers.IntegerField(source="segment_id")

    class Meta:
        model = AudienceSync
        fields = [
            "id", "destination", "segment", "channel", "audience_name", "audience_id", "status", "reason", "failures",
            "run_at", "planned_at", "pushed_at", "created_at",
        ]  # fmt: skip
        read_only_fields = fields


class SyncWithCounts(SyncSerializer):
    counts = CountsSerializer(source="shown_counts")

    class Meta(SyncSerializer.Meta):
        fields: Any = [*SyncSerializer.Meta.fields, "counts"]
        read_only_fields = fields


class SyncInput(StrictSerializer):
    destination = serializers.IntegerField(min_value=1, max_value=BIGGEST)
    segment = serializers.IntegerField(min_value=1, max_value=BIGGEST)
    channel = serializers.ChoiceField(choices=MessageChannel.choices, default=MessageChannel.EMAIL)
    audience_name = serializers.CharField(required=False, max_length=120, help_text="Default: the segment's name.")
    audience_id = serializers.CharField(required=False, max_length=200, help_text="Default: a new audience is made.")


class ResumeInput(StrictSerializer):
    audience_id = serializers.CharField(required=False, max_length=200, help_text="Where it was made by hand.")


class SyncedContactSerializer(QuickModelSerializer):
    contact_id = serializers.IntegerField(allow_null=True, help_text="Null: an address a contact had before.")

    class Meta:
        model = SyncedContact
        fields = ["id", "contact_id", "change", "status", "error", "pushed_at"]
        read_only_fields = fields


class PushSerializer(QuickModelSerializer):
    class Meta:
        model = Push
        fields = ["id", "change", "record_count", "refused_count", "status", "error", "seconds", "happened_at"]
        read_only_fields = fields
