"""`/api/v1/email-templates/` (and `/api/v1/automations/email-templates/`): drafts, publishing, preview, test."""

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
from campaigns import selectors, services
from campaigns.api.composing import ComposingActions
from campaigns.api.drafts import DraftActions, WordsInput, read
from campaigns.api.serializers import WhoInput, who
from campaigns.api.shapes import VersionSerializer
from campaigns.models import EmailTemplate, TemplateVersion
from common.api.shapes import StrictSerializer
from common.api.views import ApiViewSet
from common.errors import Invalid


class EmailTemplateSerializer(serializers.ModelSerializer):  # type: ignore[type-arg]
    published_version = serializers.IntegerField(source="published.number", default=None, allow_null=True)

    class Meta:
        model = EmailTemplate
        fields = [
            "id", "name", "slug", "kind", "subject", "preheader", "blocks", "html", "text", "defaults", "locale",
            "variants", "published_version", "is_archived", "version", "created_at", "updated_at",
        ]  # fmt: skip


class EmailTemplateInput(VersionSerializer, WordsInput):
    also_accepts = frozenset({"id", "published_version", "is_archived", "created_at", "updated_at"})

    name = serializers.CharField(max_length=200)
    slug = serializers.SlugField(max_length=100, required=False, help_text="Empty: made from the name.")
    subject = serializers.CharField(max_length=300)


class TemplateVersionSerializer(serializers.ModelSerializer):  # type: ignore[type-arg]
    template_id = serializers.IntegerField()
    content_id = serializers.IntegerField()

    class Meta:
        model = TemplateVersion
        fields = ["id", "template_id", "number", "content_id", "author", "created_at"]


class RenderedSerializer(serializers.Serializer):  # type: ignore[type-arg]
    subject = serializers.CharField()
    html = serializers.CharField()
    text = serializers.CharField()


class TestSendInput(WhoInput):
    to = serializers.EmailField(required=False, help_text="A colleague's address; empty: your own.")


class TestSendAnswer(StrictSerializer):
    to = serializers.EmailField()
    message_key = serializers.CharField()


class EmailTemplateFilter(django_filters.FilterSet):
    name = django_filters.CharFilter(lookup_expr="icontains")

    class Meta:
        model = EmailTemplate
        fields = ["name", "slug", "kind", "is_archived"]


class EmailTemplateViewSet(ComposingActions, DraftActions, ApiViewSet):
    """E-mail templates: a draft that is edited, and the published content that is sent."""

    resource = "campaigns"
    reading_actions = ("preview", "render", "bring_in")
    serializer_class = EmailTemplateSerializer
    filterset_class = EmailTemplateFilter
    lookup_value_regex = "[0-9]{1,18}"

    def get_queryset(self) -> QuerySet[EmailTemplate]:
        return EmailTemplate.objects.filter(channel=MessageChannel.EMAIL).select_related("published")

    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    def retrieve(self, request: Request, pk: str) -> Response:
        return self._answer(self._template(pk))

    @extend_schema(request=EmailTemplateInput, responses={201: EmailTemplateSerializer})
    def create(self, request: Request) -> Response:
        """A draft; publish it before a campaign or workflow may send it."""
        return self._answer(services.create_template(self._values(request)[0]), status=201)

    @extend_schema(request=EmailTemplateInput)
    def update(self, request: Request, pk: str) -> Response:
        return self._update(request, pk, partial=False)

    @extend_schema(request=EmailTemplateInput)
    def partial_update(self, request: Request, pk: str) -> Response:
        """What is published stays until the draft is published again. With `version`, refused (409) when stale."""
        return self._update(request, pk, partial=True)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Only what was never published; others are archived."""
        services.delete_template(self._template(pk))
        return Response(status=204)

    @extend_schema(request=VersionSerializer, responses={201: TemplateVersionSerializer})
    @action(detail=True, methods=["post"])
    def publish(self, request: Request, pk: str) -> Response:
        """Check and compile the draft. Mistakes come back with their places, and nothing changes."""
        template = self._template(pk)
        data = read(VersionSerializer, request)
        published = services.publish_template(template, expected_version=data.get("version"))
        return Response(TemplateVersionSerializer(published).data, status=201)

    @extend_schema(request=None, responses=EmailTemplateSerializer)
    @action(detail=True, methods=["post"])
    def archive(self, request: Request, pk: str) -> Response:
        return self._answer(services.archive_template(self._template(pk)))

    @extend_schema(request=None, responses={201: EmailTemplateSerializer})
    @action(detail=True, methods=["post"])
    def duplicate(self, request: Request, pk: str) -> Response:
        return self._answer(services.duplicate_template(self._template(pk)), status=201)

    @extend_schema(request=WhoInput, responses=RenderedSerializer)
    @action(detail=True, methods=["post"])
    def preview(self, request: Request, pk: str) -> Response:
        """The draft as this contact would get it."""
        template = self._template(pk)
        contact = services.find_contact(who(read(WhoInput, request)))
        return Response(RenderedSerializer(services.preview_template(template, contact)).data)

    @extend_schema(request=TestSendInput, responses={202: TestSendAnswer})
    @action(detail=True, methods=["post"], url_path="test-send")
    def test_send(self, request: Request, pk: str) -> Response:
        """Send the draft, written for this contact, to a colleague's address."""
        template = self._template(pk)
        data = read(TestSendInput, request)
        to = data.get("to") or _own_address(request)
        key = services.send_test(template, services.find_contact(who(data)), to)
        return Response({"to": to, "message_key": key}, status=202)

    def _template(self, pk: str) -> EmailTemplate:
        template = self.get_queryset().filter(pk=int(pk)).first()
        if template is None:
            raise Http404
        return template

    def _answer(self, template: EmailTemplate, status: int = 200) -> Response:
        return Response(self.get_serializer(self._template(str(template.pk))).data, status=status)

    def _update(self, request: Request, pk: str, *, partial: bool) -> Response:
        template = self._template(pk)
        values, version = self._values(request, partial=partial)
        return self._answer(services.update_template(template, values, expected_version=version))

    def _values(self, request: Request, *, partial: bool = False) -> tuple[dict[str, Any], int | None]:
        data = read(EmailTemplateInput, request, partial=partial)
        return {name: value for name, value in data.items() if name != "version"}, data.get("version")


def _own_address(request: Request) -> str:
    name: str = getattr(request.user, "name", "")
    if name in selectors.member_addresses():
        return name
    raise Invalid("A key has no mailbox of its own: say `to`.", details={"to": "A colleague's address is needed."})
