"""In-app messages for client apps: the inbox of a contact, its tokens and its devices."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings

from audience import services as audience
from audience.models import DeviceKind
from common.api.shapes import QuickModelSerializer, StrictSerializer
from common.api.views import ApiView, ApiViewSet
from common.errors import NotFound
from delivery import services
from delivery.api.authentication import ContactTokenAuthentication, FromApps
from delivery.models import InboxMessage, Placement
from delivery.services import inbox

FROM_APPS = [ContactTokenAuthentication, *api_settings.DEFAULT_AUTHENTICATION_CLASSES]
WHOSE = OpenApiParameter("contact_id", int, description="With a secret key: whose. A contact token says it itself.")


class InboxMessageSerializer(QuickModelSerializer):
    class Meta:
        model = InboxMessage
        fields = [
            "id", "placement", "title", "body", "button", "url", "image", "created_at", "expires_at", "read_at",
            "clicked_at",
        ]  # fmt: skip


class InboxFilter(filters.FilterSet):
    placement = filters.ChoiceFilter(choices=Placement.choices)
    unread = filters.BooleanFilter(field_name="read_at", lookup_expr="isnull")

    class Meta:
        model = InboxMessage
        fields: list[str] = []


class UnreadAnswer(StrictSerializer):
    unread = serializers.IntegerField(help_text="At most 100 are counted.")


class InboxViewSet(FromApps, ApiViewSet):
    """What waits for a contact inside your app."""

    resource = "inbox"
    authentication_classes = FROM_APPS
    serializer_class = InboxMessageSerializer
    filterset_class = InboxFilter
    lookup_value_regex = "[0-9]{1,18}"
    queryset = InboxMessage.objects.none()

    def get_queryset(self) -> QuerySet[InboxMessage]:
        if getattr(self, "swagger_fake_view", False):
            return InboxMessage.objects.none()
        return inbox.of(self.contact(self.request))

    @extend_schema(parameters=[WHOSE])
    def list(self, request: Request) -> Response:
        """The newest first; neither dismissed nor expired ones."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(parameters=[WHOSE], responses=UnreadAnswer)
    @action(detail=False, methods=["get"])
    def unread(self, request: Request) -> Response:
        """How many are unread, for the number on the bell."""
        return Response({"unread": self.get_queryset().filter(read_at=None)[:100].count()})

    @extend_schema(parameters=[WHOSE], request=None, responses=UnreadAnswer)
    @action(detail=False, methods=["post"], url_path="read-all")
    def read_all(self, request: Request) -> Response:
        """Everything was seen."""
        contact = self.contact(request)
        inbox.mark_all_read(contact)
        return Response({"unread": inbox.of(contact).filter(read_at=None)[:100].count()})

    @extend_schema(parameters=[WHOSE], request=None, responses=InboxMessageSerializer)
    @action(detail=True, methods=["post"])
    def read(self, request: Request, pk: str) -> Response:
        """The contact saw it: an `in_app_opened` event. Again changes nothing."""
        return self._mark("opened")

    @extend_schema(parameters=[WHOSE], request=None, responses=InboxMessageSerializer)
    @action(detail=True, methods=["post"])
    def click(self, request: Request, pk: str) -> Response:
        """The contact followed its link: an `in_app_clicked` event. Again changes nothing."""
        return self._mark("clicked")

    @extend_schema(parameters=[WHOSE], request=None, responses=InboxMessageSerializer)
    @action(detail=True, methods=["post"])
    def dismiss(self, request: Request, pk: str) -> Response:
        """The contact wants it gone: an `in_app_dismissed` event, and it is not listed any more."""
        return self._mark("dismissed")

    def _mark(self, what: str) -> Response:
        return Response(self.get_serializer(inbox.mark(self.get_object(), what)).data)


class ContactTokenInput(StrictSerializer):
    contact_id = serializers.IntegerField(min_value=1, max_value=2**63 - 1)
    hours = serializers.IntegerField(min_value=1, max_value=30 * 24, default=24, help_text="For how long it is good.")


class ContactTokenAnswer(StrictSerializer):
    token = serializers.CharField()


class ContactTokensView(ApiView):
    """Your server asks for a token for the contact that signed in, and hands it to your app."""

    resource = "inbox"

    @extend_schema(request=ContactTokenInput, responses={201: ContactTokenAnswer})
    def post(self, request: Request) -> Response:
        data = _read(ContactTokenInput, request)
        contact = inbox.living_contact(data["contact_id"])
        return Response({"token": inbox.issue_token(contact, timedelta(hours=data["hours"]))}, status=201)


class DeviceInput(StrictSerializer):
    kind = serializers.ChoiceField(choices=DeviceKind.choices)
    token = serializers.CharField(max_length=1000, help_text="A browser's endpoint, or an app's registration token.")
    keys = serializers.DictField(
        child=serializers.CharField(max_length=200), required=False, help_text="p256dh, auth"
    )
    platform = serializers.CharField(max_length=60, required=False, allow_blank=True)
    agreed = serializers.BooleanField(default=False, help_text="The person agreed to marketing by push.")
    wording = serializers.CharField(max_length=2000, required=False, allow_blank=True, help_text="What to.")


class DeviceAnswer(StrictSerializer):
    id = serializers.IntegerField()
    kind = serializers.CharField()
    platform = serializers.CharField()


class DeviceRemoval(StrictSerializer):
    kind = serializers.ChoiceField(choices=DeviceKind.choices)
    token = serializers.CharField(max_length=1000)


class DevicesView(FromApps, ApiView):
    """Browsers and apps that push messages reach."""

    resource = "inbox"
    authentication_classes = FROM_APPS

    @extend_schema(parameters=[WHOSE], request=DeviceInput, responses={201: DeviceAnswer})
    def post(self, request: Request) -> Response:
        """Register the device for its contact; again is fine, and keeps it fresh."""
        data, contact = _read(DeviceInput, request), self.contact(request)
        device = audience.register_device(
            contact, data["kind"], data["token"], keys=data.get("keys"), platform=data.get("platform", "")
        )
        if data["agreed"]:
            proof = {"device_id": device.pk}
            audience.grant_consent([contact.pk], "push", None, "push permission", data.get("wording", ""), proof)
        return Response({"id": device.pk, "kind": device.kind, "platform": device.platform}, status=201)

    @extend_schema(parameters=[WHOSE], request=DeviceRemoval, responses={204: None})
    def delete(self, request: Request) -> Response:
        """The person signed out, or switched push off on this device."""
        data, contact = _read(DeviceRemoval, request), self.contact(request)
        audience.forget_device(contact, data["kind"], data["token"])
        return Response(status=204)


class PushKeyAnswer(StrictSerializer):
    public_key = serializers.CharField(help_text="applicationServerKey of PushManager.subscribe.")


class PushKeyView(FromApps, ApiView):
    """With which key browsers subscribe."""

    resource = "inbox"
    authentication_classes = FROM_APPS

    @extend_schema(responses=PushKeyAnswer)
    def get(self, request: Request) -> Response:
        key = services.push_public_key()
        if key is None:
            raise NotFound("Push to browsers is not set up: add a provider of the kind Web push.", code="no_provider")
        return Response({"public_key": key})


def _read(serializer_class: Any, request: Request) -> dict[str, Any]:
    serializer = serializer_class(data=request.data)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)
