"""`/api/v1/message-templates/`: drafts of SMS, WhatsApp, push and in-app messages, Slack notes and webhooks."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from audience.models import MessageChannel
from campaigns import services
from campaigns.api.drafts import read
from campaigns.api.serializers import WhoInput, who
from campaigns.api.shapes import VersionSerializer
from campaigns.api.templates import TemplateVersionSerializer
from campaigns.models import EmailTemplate
from common.api.views import ApiViewSet
from delivery.models import MessageKind

CHANNELS = [choice for choice in MessageChannel.choices if choice[0] != MessageChannel.EMAIL]


class MessageTemplateSerializer(serializers.ModelSerializer):  # type: ignore[type-arg]
    says = serializers.DictField(source="fields", help_text="By the channel's own fields.")
    published_version = serializers.IntegerField(source="published.number", default=None, allow_null=True)

    class Meta:
        model = EmailTemplate
        fields = [
            "id", "name", "slug", "channel", "kind", "says", "defaults", "published_version", "is_archived",
            "version", "created_at", "updated_at",
        ]  # fmt: skip


class MessageTemplateInput(VersionSerializer):
    also_accepts = frozenset({"id", "published_version", "is_archived", "created_at", "updated_at"})

    name = serializers.CharField(max_length=200)
    slug = serializers.SlugField(max_length=100, required=False, help_text="Empty: made from the name.")
    channel = serializers.ChoiceField(choices=CHANNELS)
    kind = serializers.ChoiceField(choices=MessageKind.choices, required=False)
    says = serializers.DictField(help_text="What it says, by the channel's own fields: an SMS has `text`.")
    defaults = serializers.DictField(required=False, help_text='Values for what a contact lacks: {"name": "there"}')


class SizeSerializer(serializers.Serializer):  # type: ignore[type-arg]
    is_gsm = serializers.BooleanField()
    places = serializers.IntegerField()
    segments = serializers.IntegerField()
    left = serializers.IntegerField()


class PreviewedSerializer(serializers.Serializer):  # type: ignore[type-arg]
    channel = serializers.CharField()
    says = serializers.DictField()
    size = SizeSerializer(allow_null=True, help_text="How many SMS it becomes.")


class MessageTestInput(WhoInput):
    to = serializers.CharField(required=False, max_length=40, help_text="SMS and WhatsApp: a phone number.")


class MessageTestAnswer(serializers.Serializer):  # type: ignore[type-arg]
    message_key = serializers.CharField()


class MessageTemplateFilter(django_filters.FilterSet):
    name = django_filters.CharFilter(lookup_expr="icontains")
    channel = django_filters.ChoiceFilter(choices=CHANNELS)

    class Meta:
        model = EmailTemplate
        fields = ["name", "slug", "kind", "is_archived"]


class MessageTemplateViewSet(ApiViewSet):
    """Messages of other channels than e-mail: a draft that is edited, and the published content that is sent."""

    resource = "campaigns"
    reading_actions = ("preview",)
    serializer_class = MessageTemplateSerializer
    filterset_class = MessageTemplateFilter
    lookup_value_regex = "[0-9]{1,18}"

    def get_queryset(self) -> QuerySet[EmailTemplate]:
        return EmailTemplate.objects.exclude(channel=MessageChannel.EMAIL).select_related("published")

    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    def retrieve(self, request: Request, pk: str) -> Response:
        return self._answer(self._template(pk))

    @extend_schema(request=MessageTemplateInput, responses={201: MessageTemplateSerializer})
    def create(self, request: Request) -> Response:
        """A draft; publish it before a campaign or workflow may send it."""
        return self._answer(services.create_template(_values(request)[0]), status=201)

    @extend_schema(request=MessageTemplateInput)
    def partial_update(self, request: Request, pk: str) -> Response:
        """What is published stays until the draft is published again. With `version`, refused (409) when stale."""
        values, version = _values(request, partial=True)
        values.pop("channel", None)
        return self._answer(services.update_template(self._template(pk), values, expected_version=version))

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Only what was never published; others are archived."""
        services.delete_template(self._template(pk))
        return Response(status=204)

    @extend_schema(request=VersionSerializer, responses={201: TemplateVersionSerializer})
    @action(detail=True, methods=["post"])
    def publish(self, request: Request, pk: str) -> Response:
        """Check and compile the draft. Mistakes come back with their places, and nothing changes."""
        version = read(VersionSerializer, request).get("version")
        published = services.publish_template(self._template(pk), expected_version=version)
        return Response(TemplateVersionSerializer(published).data, status=201)

    @extend_schema(request=None, responses=MessageTemplateSerializer)
    @action(detail=True, methods=["post"])
    def archive(self, request: Request, pk: str) -> Response:
        return self._answer(services.archive_template(self._template(pk)))

    @extend_schema(request=WhoInput, responses=PreviewedSerializer)
    @action(detail=True, methods=["post"])
    def preview(self, request: Request, pk: str) -> Response:
        """The draft as this contact would get it."""
        template = self._template(pk)
        shown = services.preview_message(template, services.find_contact(who(read(WhoInput, request))))
        size = SizeSerializer(shown.size).data if shown.size else None
        return Response({"channel": shown.channel, "says": dict(shown.fields), "size": size})

    @extend_schema(request=MessageTestInput, responses={202: MessageTestAnswer})
    @action(detail=True, methods=["post"], url_path="test-send")
    def test_send(self, request: Request, pk: str) -> Response:
        """Send the draft, written for this contact, to a colleague."""
        template = self._template(pk)
        data = read(MessageTestInput, request)
        key = services.send_test(template, services.find_contact(who(data)), data.get("to", ""))
        return Response({"message_key": key}, status=202)

    def _template(self, pk: str) -> EmailTemplate:
        template = self.get_queryset().filter(pk=int(pk)).first()
        if template is None:
            raise Http404
        return template

    def _answer(self, template: EmailTemplate, status: int = 200) -> Response:
        return Response(self.get_serializer(self._template(str(template.pk))).data, status=status)


def _values(request: Request, *, partial: bool = False) -> tuple[dict[str, Any], int | None]:
    data = read(MessageTemplateInput, request, partial=partial)
    values = {name: value for name, value in data.items() if name not in ("version", "says")}
    if "says" in data:
        values["fields"] = data["says"]
    return values, data.get("version")
