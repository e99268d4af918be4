"""Reading the ledger of messages."""

from __future__ import annotations

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from audience.models import MessageChannel
from common.api.views import ApiViewSet
from delivery import services
from delivery.api.serializers import MessageSerializer, ResolutionSerializer, ResolvedSerializer
from delivery.models import Message, MessageStatus, SourceType


class MessageFilter(filters.FilterSet):
    account_id = filters.NumberFilter(help_text="The account at a provider to which it was handed last.")
    provider = filters.CharFilter("account__kind", help_text="The kind of that account, such as `twilio`.")
    channel = filters.ChoiceFilter(choices=MessageChannel.choices)
    contact_id = filters.NumberFilter()
    source_id = filters.NumberFilter()
    source_type = filters.ChoiceFilter(choices=SourceType.choices)
    status = filters.ChoiceFilter(choices=MessageStatus.choices)

    class Meta:
        model = Message
        fields: list[str] = []


@extend_schema_view(
    list=extend_schema(summary="List messages, newest first"),
    retrieve=extend_schema(summary="Read one message: its status, and the reason when it was not sent"),
)
class MessageViewSet(ListModelMixin, RetrieveModelMixin, ApiViewSet):
    resource = "delivery"
    serializer_class = MessageSerializer
    filterset_class = MessageFilter
    queryset = Message.objects.all()

    def get_queryset(self) -> QuerySet[Message]:
        return Message.objects.all()

    @extend_schema(
        summary="Decide what became of uncertain messages: they were sent, or they are sent again",
        request=ResolutionSerializer,
        responses=ResolvedSerializer,
    )
    @action(detail=False, methods=["post"], pagination_class=None, filterset_class=None)
    def resolve(self, request: Request) -> Response:
        asked = ResolutionSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        ids = set(asked.validated_data["message_ids"])
        count = services.resolve_uncertain(sorted(ids), as_sent=asked.validated_data["decision"] == "sent")
        return Response({"resolved": count, "left": len(ids) - count})
