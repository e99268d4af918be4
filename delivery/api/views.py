"""Reading the ledger of messages."""

from __future__ import annotations

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin

from common.api.views import ApiViewSet
from delivery.api.serializers import MessageSerializer
from delivery.models import Message, MessageStatus, SourceType


class MessageFilter(filters.FilterSet):
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
