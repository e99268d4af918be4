"""What a form asks while a rule is edited: about how many, who for example, and values that really occur."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.views import ApiView
from common.errors import Invalid
from segments import estimates, rules, suggested_values
from segments.api import shapes
from segments.rules import catalogue

LONGEST = 200


class PreviewInput(serializers.Serializer):  # type: ignore[type-arg]
    rule = serializers.JSONField(help_text="The rule tree to try.")
    exact = serializers.BooleanField(required=False, help_text="Count everybody; may take many seconds.")


class EstimateSerializer(serializers.Serializer):  # type: ignore[type-arg]
    size = serializers.IntegerField(help_text="About how many contacts the rule finds now.")
    low = serializers.IntegerField(help_text="Lower end of the 95 % interval.")
    high = serializers.IntegerField(help_text="Upper end of the 95 % interval.")
    population = serializers.IntegerField(help_text="How many contacts there are.")
    is_exact = serializers.BooleanField(help_text="Whether everybody was counted.")


class PreviewSerializer(serializers.Serializer):  # type: ignore[type-arg]
    sentence = serializers.CharField(help_text="The rule in plain language; empty while it has problems.")
    estimate = EstimateSerializer(allow_null=True, help_text="Null while it has problems or takes too long.")
    sample = shapes.SampleSerializer(many=True)
    problems = serializers.DictField(
        child=serializers.CharField(), help_text="What is wrong, by place: `rules[2].rules[0].value`."
    )


class SuggestedValueSerializer(serializers.Serializer):  # type: ignore[type-arg]
    value = serializers.JSONField(help_text="As it is written in a rule.")
    count = serializers.IntegerField(help_text="How often it stood in what was looked at.")


class SuggestedValuesSerializer(serializers.Serializer):  # type: ignore[type-arg]
    results = SuggestedValueSerializer(many=True)


class PreviewView(ApiView):
    """Try a rule; nothing is written."""

    resource = "segments"
    action = "preview"
    reading_actions = ("preview",)

    @extend_schema(request=PreviewInput, responses=PreviewSerializer, operation_id="segments_preview")
    def post(self, request: Request) -> Response:
        """Sentence, estimated size and some people of a rule, or its problems by place. Nothing is written."""
        if not isinstance(request.data, dict):
            raise Invalid("The body must be a JSON object.")
        data = shapes.read(PreviewInput, request.data)
        try:
            rule = rules.parse(data["rule"])
        except Invalid as error:
            return Response({"sentence": "", "estimate": None, "sample": [], "problems": error.details})
        found = estimates.count(rule) if data.get("exact") else estimates.look(rule)
        answer: dict[str, Any] = {"sentence": rules.sentence(rule), "estimate": found.estimate}
        return Response(PreviewSerializer(answer | {"sample": found.sample, "problems": {}}).data)


class SuggestedValuesView(ApiView):
    """Values that really occur."""

    resource = "segments"

    @extend_schema(
        parameters=[
            OpenApiParameter("field", str, description="A field of contacts, such as `city` or `attributes.plan`."),
            OpenApiParameter("event", str, description="With `property`, instead of `field`: a kind of event."),
            OpenApiParameter("property", str, description="A property of that event."),
            OpenApiParameter("starts", str, description="How the value begins; capitals do not matter."),
        ],
        responses=SuggestedValuesSerializer,
        operation_id="segments_suggest_values",
    )
    def get(self, request: Request) -> Response:
        """The most frequent values of a field among some thousand contacts, or of a property of new events."""
        asked = {name: _text(request, name) for name in ("field", "event", "property", "starts")}
        if asked["field"]:
            found = suggested_values.of_field(asked["field"], asked["starts"], catalogue.load())
        elif asked["event"] and asked["property"]:
            found = suggested_values.of_property(asked["event"], asked["property"], asked["starts"])
        else:
            sentence = "Say a field of contacts, or an event and one of its properties."
            raise Invalid(sentence, details={"field": sentence})
        return Response(SuggestedValuesSerializer({"results": found}).data)


def _text(request: Request, name: str) -> str:
    text = str(request.query_params.get(name, ""))
    if "\x00" in text or len(text) > LONGEST:
        raise Invalid(
            f"{name} is not a text of at most {LONGEST} characters.",
            details={name: f"Expected a text of at most {LONGEST} characters."},
        )
    return text
