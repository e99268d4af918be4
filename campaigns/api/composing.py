"""What the editor of e-mails asks while somebody writes; nothing here is stored."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from audience.models import Contact
from campaigns import selectors
from campaigns.domain.blocks import language
from campaigns.domain.checks.base import LEVELS
from campaigns.services import composing
from campaigns.services.composing import Draft
from common.api.shapes import StrictSerializer
from common.errors import NotFound
from delivery.models import MessageKind


class BlockChoiceSerializer(serializers.Serializer):  # type: ignore[type-arg]
    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]


class BlockInputSerializer(serializers.Serializer):  # type: ignore[type-arg]
    name = serializers.CharField(help_text="The key in the block's JSON.")
    label = serializers.CharField()  # type: ignore[assignment]
    type = serializers.CharField(
        help_text="text, rich, code, url, image, color, whole, boolean, choice, rows or snippet."
    )
    required = serializers.BooleanField()
    default = serializers.JSONField(required=False)
    choices = BlockChoiceSerializer(many=True, required=False)
    least = serializers.IntegerField(required=False)
    most = serializers.IntegerField(required=False, help_text="Of a whole number, or how many rows.")
    longest = serializers.IntegerField(required=False, help_text="Characters of a text.")
    inputs = serializers.ListField(child=serializers.JSONField(), required=False, help_text="What a row holds.")
    help = serializers.CharField(required=False)


class BlockOperatorSerializer(BlockChoiceSerializer):
    inputs = BlockInputSerializer(many=True)


class BlockTypeSerializer(serializers.Serializer):  # type: ignore[type-arg]
    key = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    group = serializers.CharField()
    inputs = BlockInputSerializer(many=True)
    holds_columns = serializers.BooleanField(help_text="It has `columns`: a list of width in percent and blocks.")


class BlockLanguageSerializer(serializers.Serializer):  # type: ignore[type-arg]
    settings = BlockInputSerializer(many=True)
    blocks = BlockTypeSerializer(many=True)
    operators = BlockOperatorSerializer(many=True, help_text="What `show_when` may ask of a variable.")
    repeat = BlockInputSerializer(many=True)
    limits = serializers.DictField(child=serializers.IntegerField())


class RenderInput(StrictSerializer):
    subject = serializers.CharField(max_length=300, allow_blank=True, default="")
    preheader = serializers.CharField(max_length=200, allow_blank=True, default="")
    blocks = serializers.JSONField(required=False, allow_null=True, help_text="The tree; see `language/`.")
    html = serializers.CharField(
        max_length=500_000, allow_blank=True, default="", trim_whitespace=False, help_text="Without blocks: by hand."
    )
    text = serializers.CharField(
        max_length=500_000, allow_blank=True, default="", trim_whitespace=False, help_text="Empty: derived."
    )
    defaults = serializers.DictField(required=False, default=dict)
    kind = serializers.ChoiceField(choices=MessageKind.choices, default=MessageKind.MARKETING)
    locale = serializers.CharField(max_length=20, allow_blank=True, default="")
    contact = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, max_value=2**63 - 1, help_text="Empty: the contact seen last."
    )
    event = serializers.DictField(required=False, default=dict, help_text="Properties of the event that starts it.")
    is_marked = serializers.BooleanField(
        default=False, help_text="With comments around each block (`<!--block:ID-->`), for editors."
    )


class CheckSerializer(serializers.Serializer):  # type: ignore[type-arg]
    level = serializers.ChoiceField(choices=[(level, level) for level in LEVELS])
    sentence = serializers.CharField()
    block = serializers.CharField(help_text="The id of the block; empty: the mail as a whole.")
    fix = serializers.CharField(help_text="What would be right; may be empty.")


class ShownSerializer(serializers.Serializer):  # type: ignore[type-arg]
    subject = serializers.CharField()
    preheader = serializers.CharField()
    html = serializers.CharField()
    text = serializers.CharField()
    size = serializers.IntegerField(help_text="Bytes of the HTML.")
    checks = CheckSerializer(many=True)
    problems = serializers.DictField(
        child=serializers.CharField(), help_text="Path (`blocks[2].href`) → what is wrong; with any, no publishing."
    )


class ComposingActions:
    """Actions of the template views that need no stored template."""

    @extend_schema(responses=BlockLanguageSerializer)
    @action(detail=False, methods=["get"], pagination_class=None, filterset_class=None)
    def language(self, request: Request) -> Response:
        """Of what e-mails are made: settings, blocks, conditions, each with its inputs."""
        return Response(language.describe())

    @extend_schema(request=RenderInput, responses=ShownSerializer)
    @action(detail=False, methods=["post"])
    def render(self, request: Request) -> Response:
        """A draft as a contact would read it, with checks; nothing is stored. Mistakes are told, not refused."""
        serializer = RenderInput(data=request.data)
        serializer.is_valid(raise_exception=True)
        data = dict(serializer.validated_data)
        contact = _contact(data.pop("contact", None))
        event: dict[str, Any] = data.pop("event")
        is_marked: bool = data.pop("is_marked")
        shown = composing.show(Draft(**data), contact, {"event": event} if event else {}, is_marked=is_marked)
        return Response(ShownSerializer(shown).data)


def _contact(contact_id: int | None) -> Contact | None:
    if contact_id is None:
        return selectors.preview_contact("")
    contact = Contact.objects.filter(pk=contact_id).first()
    if contact is None:
        raise NotFound("There is no such contact.", code="unknown_contact")
    return contact
