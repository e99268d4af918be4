"""`/api/v1/snippets/`: blocks that many mails share."""

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

from campaigns import selectors, services
from campaigns.api.drafts import DifferenceSerializer, read
from campaigns.api.shapes import VersionSerializer
from campaigns.models import Snippet
from common.api.shapes import StrictSerializer
from common.api.views import ApiViewSet
from common.errors import AppError


class SnippetSerializer(serializers.ModelSerializer):  # type: ignore[type-arg]
    published_version = serializers.IntegerField(source="published.number", default=None, allow_null=True)
    has_unpublished_changes = serializers.BooleanField()

    class Meta:
        model = Snippet
        fields = [
            "id", "name", "slug", "blocks", "variants", "published_version", "has_unpublished_changes", "version",
            "created_at", "updated_at",
        ]  # fmt: skip


class SnippetInput(VersionSerializer):
    also_accepts = frozenset({"id", "published_version", "has_unpublished_changes", "created_at", "updated_at"})

    name = serializers.CharField(max_length=200)
    slug = serializers.SlugField(max_length=100, required=False, help_text="Empty: made from the name.")
    blocks = serializers.ListField(child=serializers.JSONField(), help_text="As in a mail, without snippets.")
    variants = serializers.DictField(required=False, help_text='Other languages: {"de": [blocks]}.')


class SnippetDraftInput(StrictSerializer):
    also_accepts = frozenset({"updated_at", "changed_by", "has_unpublished_changes"})

    name = serializers.CharField(max_length=200, required=False)
    blocks = serializers.ListField(child=serializers.JSONField(), required=False)
    variants = serializers.DictField(required=False, help_text='Other languages: {"de": [blocks]}.')
    revision = serializers.IntegerField(
        required=False, min_value=1, help_text="The state that was edited: refused (409) when it is another by now."
    )


class SnippetDraftSerializer(serializers.Serializer):  # type: ignore[type-arg]
    name = serializers.CharField()
    blocks = serializers.ListField(child=serializers.JSONField())
    variants = serializers.DictField()
    revision = serializers.IntegerField()
    updated_at = serializers.DateTimeField()
    changed_by = serializers.CharField()
    has_unpublished_changes = serializers.BooleanField()


class SnippetVersionSerializer(serializers.Serializer):  # type: ignore[type-arg]
    number = serializers.IntegerField()
    author = serializers.CharField()
    created_at = serializers.DateTimeField()


class UseSerializer(serializers.Serializer):  # type: ignore[type-arg]
    template_id = serializers.IntegerField(source="template.pk")
    name = serializers.CharField(source="template.name")
    published_number = serializers.IntegerField(allow_null=True, help_text="The snippet's version in what is sent.")
    is_behind = serializers.BooleanField(help_text="What is sent carries an older version.")
    is_archived = serializers.BooleanField(source="template.is_archived")


class UsesSerializer(serializers.Serializer):  # type: ignore[type-arg]
    results = UseSerializer(many=True)


class RepublishInput(StrictSerializer):
    template_ids = serializers.ListField(child=serializers.IntegerField(min_value=1), min_length=1, max_length=100)


class RepublishedSerializer(serializers.Serializer):  # type: ignore[type-arg]
    published = serializers.DictField(child=serializers.IntegerField(), help_text="Template id → its new version.")
    refused = serializers.DictField(child=serializers.CharField(), help_text="Template id → why not.")


class SnippetFilter(django_filters.FilterSet):
    name = django_filters.CharFilter(lookup_expr="icontains")

    class Meta:
        model = Snippet
        fields = ["name", "slug"]


class SnippetViewSet(ApiViewSet):
    """Snippets: a draft that is edited, and the published blocks that mails take in when they are published."""

    resource = "campaigns"
    serializer_class = SnippetSerializer
    filterset_class = SnippetFilter
    lookup_value_regex = "[0-9]{1,18}"

    def get_queryset(self) -> QuerySet[Snippet]:
        return Snippet.objects.select_related("published")

    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    def retrieve(self, request: Request, pk: str) -> Response:
        return self._answer(self._snippet(pk))

    @extend_schema(request=SnippetInput, responses={201: SnippetSerializer})
    def create(self, request: Request) -> Response:
        """A snippet, published at once: mails can take it in."""
        data = read(SnippetInput, request)
        data.pop("version", None)
        return self._answer(services.create_snippet(data), status=201)

    @extend_schema(request=SnippetInput)
    def update(self, request: Request, pk: str) -> Response:
        return self._update(request, pk, partial=False)

    @extend_schema(request=SnippetInput)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Mails go on with what is published until it is published again."""
        return self._update(request, pk, partial=True)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Only while no template names it."""
        services.delete_snippet(self._snippet(pk))
        return Response(status=204)

    @extend_schema(request=VersionSerializer, responses={201: SnippetVersionSerializer})
    @action(detail=True, methods=["post"])
    def publish(self, request: Request, pk: str) -> Response:
        """Check and fix the draft; `used-by/` tells which mails should be published again."""
        data = read(VersionSerializer, request)
        version = services.publish_snippet(self._snippet(pk), expected_version=data.get("version"))
        return Response(SnippetVersionSerializer(version).data, status=201)

    @extend_schema(methods=["GET"], responses=SnippetDraftSerializer)
    @extend_schema(methods=["PUT"], request=SnippetDraftInput, responses=SnippetDraftSerializer)
    @action(detail=True, methods=["get", "put"])
    def draft(self, request: Request, pk: str) -> Response:
        """The draft with its revision. PUT keeps it as it comes; 409 when somebody else was quicker."""
        snippet = self._snippet(pk)
        if request.method == "PUT":
            data = read(SnippetDraftInput, request)
            revision = data.pop("revision", None)
            snippet = services.save_snippet_draft(snippet, data, expected_revision=revision)
        return Response(SnippetDraftSerializer(services.snippet_draft_of(snippet)).data)

    @extend_schema(responses=DifferenceSerializer)
    @action(detail=True, methods=["get"], pagination_class=None, filterset_class=None)
    def changes(self, request: Request, pk: str) -> Response:
        """What publishing would change in mails: the draft against the published version, block by block."""
        return Response(DifferenceSerializer({"changes": services.unpublished_changes(self._snippet(pk))}).data)

    @extend_schema(responses=UsesSerializer)
    @action(detail=True, methods=["get"], url_path="used-by", pagination_class=None, filterset_class=None)
    def used_by(self, request: Request, pk: str) -> Response:
        """The templates that name it, and whether what they send is behind."""
        return Response(UsesSerializer({"results": selectors.snippet_uses(self._snippet(pk))}).data)

    @extend_schema(request=RepublishInput, responses=RepublishedSerializer)
    @action(detail=True, methods=["post"])
    def republish(self, request: Request, pk: str) -> Response:
        """Put the present version into what these templates send; their drafts stay as they are."""
        snippet = self._snippet(pk)
        wanted = set(read(RepublishInput, request)["template_ids"])
        uses = {use.template.pk: use.template for use in selectors.snippet_uses(snippet)}
        published: dict[str, int] = {}
        refused = {str(missing): "It does not use this snippet." for missing in sorted(wanted - uses.keys())}
        for template_id in sorted(wanted & uses.keys()):
            try:
                published[str(template_id)] = services.republish_template(uses[template_id]).number
            except AppError as error:
                refused[str(template_id)] = error.message
        return Response(RepublishedSerializer({"published": published, "refused": refused}).data)

    def _snippet(self, pk: str) -> Snippet:
        snippet = self.get_queryset().filter(pk=int(pk)).first()
        if snippet is None:
            raise Http404
        return snippet

    def _answer(self, snippet: Snippet, status: int = 200) -> Response:
        return Response(self.get_serializer(self._snippet(str(snippet.pk))).data, status=status)

    def _update(self, request: Request, pk: str, *, partial: bool) -> Response:
        data: dict[str, Any] = read(SnippetInput, request, partial=partial)
        version = data.pop("version", None)
        return self._answer(services.update_snippet(self._snippet(pk), data, expected_version=version))
