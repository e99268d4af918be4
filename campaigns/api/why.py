"""`GET /api/v1/messages/why/`: why a contact got a campaign or a message, or did not."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from campaigns.why import answer
from common.api.shapes import StrictSerializer
from common.api.views import ApiView
from common.errors import Invalid

LARGEST = 2**63 - 1
JUDGED = ["good", "stop", "wait", "fact"]


class WhyInput(StrictSerializer):
    contact = serializers.IntegerField(required=False, min_value=1, max_value=LARGEST)
    campaign = serializers.IntegerField(required=False, min_value=1, max_value=LARGEST)
    message = serializers.IntegerField(required=False, min_value=1, max_value=LARGEST)


class WhyLinkSerializer(serializers.Serializer):  # type: ignore[type-arg]
    label = serializers.CharField()  # type: ignore[assignment]
    address = serializers.CharField()


class WhyStepSerializer(serializers.Serializer):  # type: ignore[type-arg]
    name = serializers.CharField()
    title = serializers.CharField()
    state = serializers.ChoiceField(choices=JUDGED)
    sentence = serializers.CharField()
    links = WhyLinkSerializer(many=True)


class WhySerializer(serializers.Serializer):  # type: ignore[type-arg]
    contact_id = serializers.IntegerField(source="contact.pk")
    campaign_id = serializers.IntegerField(source="campaign.pk", default=None, allow_null=True)
    message_id = serializers.IntegerField(source="message.pk", default=None, allow_null=True)
    answer = serializers.CharField()
    state = serializers.ChoiceField(choices=JUDGED)
    goes_at = serializers.DateTimeField(allow_null=True, help_text="When it went, or would go.")
    steps = WhyStepSerializer(many=True)


class WhyView(ApiView):
    resource = "delivery"

    @extend_schema(
        summary="Why a contact got a campaign or a message, or did not",
        description="Name a contact and a campaign, or a message. What would happen now the claim itself says.",
        parameters=[
            OpenApiParameter("contact", int, description="Contact id, with `campaign`."),
            OpenApiParameter("campaign", int),
            OpenApiParameter("message", int, description="Message id, instead of the other two."),
        ],
        responses=WhySerializer,
    )
    def get(self, request: Request) -> Response:
        given = WhyInput(data=request.query_params.dict())
        given.is_valid(raise_exception=True)
        asked = given.validated_data
        if "message" in asked:
            why = answer.of_message(asked["message"])
        elif "contact" in asked and "campaign" in asked:
            why = answer.of_campaign(asked["contact"], asked["campaign"])
        else:
            raise Invalid(
                "Name a contact and a campaign, or a message.",
                details={name: "missing" for name in ("contact", "campaign") if name not in asked},
            )
        return Response(WhySerializer(why).data)
