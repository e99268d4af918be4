"""`/api/v1/segments/language/`: what rules may say here, for whoever builds a form."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.views import ApiView
from segments.rules import catalogue, language


class ChoiceSerializer(serializers.Serializer):  # type: ignore[type-arg]
    name = serializers.CharField()
    label = serializers.CharField()


class RuleInputSerializer(serializers.Serializer):  # type: ignore[type-arg]
    name = serializers.CharField(help_text="The key in the condition's JSON; a dot steps into an object.")
    label = serializers.CharField()  # type: ignore[assignment]
    type = serializers.CharField(help_text="text, number, whole, boolean, date, span, list, choice, property, …")
    required = serializers.BooleanField()
    default = serializers.JSONField(required=False)
    choices = ChoiceSerializer(many=True, required=False)
    kind = serializers.CharField(required=False, help_text="Kind of the value or its parts; `same`: the field's own.")
    pair_when = serializers.CharField(required=False, help_text="With this `compare` two of the value, low and high.")


class MatchSerializer(ChoiceSerializer):
    inputs = RuleInputSerializer(many=True)


class RuleFieldSerializer(ChoiceSerializer):
    kind = serializers.CharField()
    group = serializers.CharField()


class RulePropertySerializer(serializers.Serializer):  # type: ignore[type-arg]
    name = serializers.CharField()
    kind = serializers.CharField()


class RuleEventSerializer(serializers.Serializer):  # type: ignore[type-arg]
    name = serializers.CharField()
    properties = RulePropertySerializer(many=True)


class OperatorSerializer(MatchSerializer):
    labels = serializers.DictField(child=serializers.CharField(), help_text="Labels that differ, by kind.")
    kinds = serializers.ListField(child=serializers.CharField())
    works_on_properties = serializers.BooleanField(help_text="Whether it may stand in `where` of an event.")


class LeafSerializer(serializers.Serializer):  # type: ignore[type-arg]
    key = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    operators = ChoiceSerializer(many=True)
    inputs = RuleInputSerializer(many=True)


class LanguageSerializer(serializers.Serializer):  # type: ignore[type-arg]
    matches = MatchSerializer(many=True)
    fields = RuleFieldSerializer(many=True)  # type: ignore[assignment]
    events = RuleEventSerializer(many=True)
    operators = OperatorSerializer(many=True)
    behaviours = MatchSerializer(many=True)
    leaves = LeafSerializer(many=True)


class LanguageView(ApiView):
    """The rule language: groups, fields, events, operators, behaviours and other conditions."""

    resource = "segments"

    @extend_schema(responses=LanguageSerializer)
    def get(self, request: Request) -> Response:
        """The words a rule may use in this organisation, each with its label and its inputs."""
        return Response(language.describe(catalogue.load()))
