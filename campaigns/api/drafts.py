"""`…/email-templates/{id}/draft/`, `versions/`: autosave, history, differences, going back."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from campaigns import services
from campaigns.models import EmailTemplate, TemplateVersion
from common.api.shapes import StrictSerializer
from delivery.models import MessageKind


class WordsInput(StrictSerializer):
    """What a mail says; what is not sent stays as it is."""

    kind = serializers.ChoiceField(choices=MessageKind.choices, required=False)
    subject = serializers.CharField(max_length=300, allow_blank=True, required=False)
    preheader = serializers.CharField(max_length=200, allow_blank=True, required=False)
    blocks = serializers.JSONField(required=False, allow_null=True, help_text="The tree; null: written as `html`.")
    html = serializers.CharField(max_length=500_000, allow_blank=True, required=False)
    text = serializers.CharField(
        max_length=500_000, allow_blank=True, required=False, help_text="Own plain text; empty: derived."
    )
    defaults = serializers.DictField(required=False, help_text='Values for what a contact lacks: {"name": "there"}')
    locale = serializers.CharField(
        max_length=20, allow_blank=True, required=False, help_text="Language of these words, e.g. en."
    )
    variants = serializers.DictField(
        required=False, help_text='Other languages: {"de": {"subject", "preheader", "blocks" or "html", "text"}}.'
    )


class DraftInput(WordsInput):
    also_accepts = frozenset({"updated_at", "changed_by", "text_is_behind", "has_unpublished_changes"})

    name = serializers.CharField(max_length=200, required=False)
    revision = serializers.IntegerField(
        required=False, min_value=1, help_text="The state that was edited: refused (409) when it is another by now."
    )


class RevisionInput(StrictSerializer):
    revision = serializers.IntegerField(required=False, min_value=1)


class DraftSerializer(serializers.Serializer):  # type: ignore[type-arg]
    name = serializers.CharField()
    kind = serializers.ChoiceField(choices=MessageKind.choices)
    subject = serializers.CharField()
    preheader = serializers.CharField()
    blocks = serializers.JSONField(allow_null=True)
    html = serializers.CharField()
    text = serializers.CharField()
    defaults = serializers.DictField()
    locale = serializers.CharField()
    variants = serializers.DictField()
    revision = serializers.IntegerField()
    updated_at = serializers.DateTimeField()
    changed_by = serializers.CharField()
    text_is_behind = serializers.BooleanField(help_text="The own plain text was written for other words.")
    has_unpublished_changes = serializers.BooleanField()


class VersionListSerializer(serializers.ModelSerializer):  # type: ignore[type-arg]
    subject = serializers.CharField(source="content.subject")
    is_published = serializers.SerializerMethodField()

    class Meta:
        model = TemplateVersion
        fields = ["id", "number", "content_id", "subject", "author", "created_at", "snippets", "is_published"]

    def get_is_published(self, version: TemplateVersion) -> bool:
        return version.template.published_id == version.pk


class ChangeSerializer(serializers.Serializer):  # type: ignore[type-arg]
    kind = serializers.ChoiceField(choices=[(kind, kind) for kind in ("added", "removed", "moved", "changed")])
    path = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    before = serializers.CharField()
    after = serializers.CharField()


class DifferenceSerializer(serializers.Serializer):  # type: ignore[type-arg]
    changes = ChangeSerializer(many=True)


class DraftActions:
    """Actions of the template views on one stored template."""

    @extend_schema(methods=["GET"], responses=DraftSerializer)
    @extend_schema(methods=["PUT"], request=DraftInput, responses=DraftSerializer)
    @action(detail=True, methods=["get", "put"])
    def draft(self, request: Request, pk: str) -> Response:
        """The draft with its revision. PUT keeps it as it comes, finished or not; 409 brings the other's draft."""
        template = self._template(pk)
        if request.method == "PUT":
            data = read(DraftInput, request)
            revision = data.pop("revision", None)
            template = services.save_draft(template, data, expected_revision=revision)
        return Response(DraftSerializer(services.draft_of(template)).data)

    @extend_schema(responses=VersionListSerializer(many=True))
    @action(detail=True, methods=["get"], filterset_class=None)
    def versions(self, request: Request, pk: str) -> Response:
        """What was published, the youngest first."""
        rows = self._template(pk).versions.select_related("content", "template").order_by("-number")
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(VersionListSerializer(page, many=True).data)

    @extend_schema(
        parameters=[OpenApiParameter("with", int, description="Another version; without: the draft.")],
        responses=DifferenceSerializer,
    )
    @action(detail=True, methods=["get"], url_path=r"versions/(?P<number>[0-9]{1,9})/diff", filterset_class=None)
    def diff(self, request: Request, pk: str, number: str) -> Response:
        """What changed since a version, block by block."""
        other = request.query_params.get("with", "")
        against = int(other) if other.isascii() and other.isdigit() and len(other) < 10 else None
        changes = services.compare(self._template(pk), int(number), against)
        return Response(DifferenceSerializer({"changes": changes}).data)

    @extend_schema(request=RevisionInput, responses=DraftSerializer)
    @action(detail=True, methods=["post"], url_path=r"versions/(?P<number>[0-9]{1,9})/restore")
    def restore(self, request: Request, pk: str, number: str) -> Response:
        """Make a version the draft again; what is published stays."""
        revision = read(RevisionInput, request).get("revision")
        template = services.restore_version(self._template(pk), int(number), expected_revision=revision)
        return Response(DraftSerializer(services.draft_of(template)).data)

    def _template(self, pk: str) -> EmailTemplate:
        raise NotImplementedError

    def paginate_queryset(self, queryset: Any) -> Any:
        return super().paginate_queryset(queryset)  # type: ignore[misc]

    def get_paginated_response(self, data: Any) -> Response:
        answer: Response = super().get_paginated_response(data)  # type: ignore[misc]
        return answer


def read(serializer_class: Any, request: Request, *, partial: bool = False) -> dict[str, Any]:
    """The request's body, checked."""
    serializer = serializer_class(data=request.data, partial=partial)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)
