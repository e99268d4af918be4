"""The JSON of predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rest_framework import serializers

from audience.domain.predictions import NAME_PATTERN
from audience.models import ContactPrediction, PredictionDefinition, PredictionUnit
from audience.services.predictions import Answer
from common.api.shapes import QuickModelSerializer, StrictSerializer

STATUSES = ["written", "unchanged", "older", "refused"]


class PredictionSerializer(QuickModelSerializer):
    contact_id = serializers.IntegerField()
    prediction = serializers.CharField(source="name")
    value = serializers.FloatField()
    is_stale = serializers.BooleanField(help_text="It lapsed: no rule counts it any more.")

    class Meta:
        model = ContactPrediction
        fields = [
            "id", "contact_id", "prediction", "value", "band", "made_at", "valid_until", "is_stale", "model_version",
        ]  # fmt: skip
        read_only_fields = fields


class PredictionRow(serializers.Serializer):  # type: ignore[type-arg]
    """The contact is named by exactly one of `contact_id`, `user_id` and `email`."""

    prediction = serializers.CharField(required=False, help_text="The name of a definition.")
    value = serializers.FloatField()
    contact_id = serializers.IntegerField(required=False)
    user_id = serializers.CharField(required=False)
    email = serializers.CharField(required=False)
    made_at = serializers.DateTimeField(required=False, help_text="Default: now.")
    valid_until = serializers.DateTimeField(required=False, help_text="Default: as the definition says.")
    model_version = serializers.CharField(required=False, max_length=100)


class PredictionsInput(serializers.Serializer):  # type: ignore[type-arg]
    """What stands beside the rows holds for every row that does not say otherwise."""

    prediction = serializers.CharField(required=False)
    model_version = serializers.CharField(required=False, max_length=100)
    made_at = serializers.DateTimeField(required=False)
    valid_until = serializers.DateTimeField(required=False)
    predictions = PredictionRow(many=True)


class PredictionAnswer(serializers.Serializer):  # type: ignore[type-arg]
    index = serializers.IntegerField(help_text="The place of the row in the request, from 0.")
    status = serializers.ChoiceField(choices=STATUSES, help_text="older: a younger prediction stands.")
    code = serializers.CharField(required=False, help_text="Why it was refused, for machines.")
    reason = serializers.CharField(required=False)


class PredictionsAnswer(serializers.Serializer):  # type: ignore[type-arg]
    written = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    older = serializers.IntegerField()
    refused = serializers.IntegerField()
    rows = PredictionAnswer(many=True)


def answered(answers: Sequence[Answer], counts: Mapping[str, int]) -> dict[str, Any]:
    """PredictionsAnswer, row by row, without a serializer's price."""
    rows: list[dict[str, Any]] = []
    for index, answer in enumerate(answers):
        row: dict[str, Any] = {"index": index, "status": answer.status}
        rows.append(row | {"code": answer.code, "reason": answer.reason} if answer.code else row)
    return {status: counts.get(status, 0) for status in STATUSES} | {"rows": rows}


class DefinitionSerializer(QuickModelSerializer):
    medium_from = serializers.FloatField(help_text="From this value on the band is medium.")
    high_from = serializers.FloatField(help_text="From this value on the band is high.")

    class Meta:
        model = PredictionDefinition
        fields = [
            "id",
            "name",
            "label",
            "unit",
            "medium_from",
            "high_from",
            "valid_days",
            "description",
            "created_at",
        ]
        read_only_fields = fields


class DefinitionChange(StrictSerializer):
    label = serializers.CharField(required=False, max_length=120)
    medium_from = serializers.DecimalField(required=False, max_digits=24, decimal_places=6)
    high_from = serializers.DecimalField(required=False, max_digits=24, decimal_places=6)
    valid_days = serializers.IntegerField(required=False, min_value=1, max_value=730)
    description = serializers.CharField(required=False, allow_blank=True, max_length=300)


class DefinitionInput(DefinitionChange):
    name = serializers.RegexField(NAME_PATTERN, help_text="Small letters, digits and _; cannot be changed later.")
    label = serializers.CharField(max_length=120)
    unit = serializers.ChoiceField(choices=PredictionUnit.choices, required=False)
