"""What the editor of e-mails asks while somebody writes; nothing here is stored."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from audience.models import Contact
from campaigns import selectors
from campaigns.api.drafts import read
from campaigns.domain import wordings
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
    locale = serializers.CharField(
        max_length=20, allow_blank=True, default="", help_text="Show this language; empty: the contact's own."
    )
    variants = serializers.DictField(
        required=False, default=dict, help_text="Other languages; the contact's locale, or `locale`, chooses."
    )
    contact_id = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, max_value=2**63 - 1, help_text="Empty: the contact seen last."
    )
    event = serializers.DictField(required=False, default=dict, help_text="Properties of the event that starts it.")
    is_marked = serializers.BooleanField(
        default=False, help_text="With comments around each block (`<!--block:ID-->`), for editors."
    )

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        if wrong := wordings.variant_faults(data["variants"]):
            raise serializers.ValidationError(wrong)
        return data


class CheckSerializer(serializers.Serializer):  # type: ignore[type-arg]
    level = serializers.ChoiceField(choices=[(level, level) for level in LEVELS])
    sentence = serializers.CharField()
    block = serializers.CharField(help_text="The id of the block; empty: the mail as a whole.")
    fix = serializers.CharField(help_text="What would be right; may be empty.")
    path = serializers.CharField(help_text="The field where there is no block: subject or preheader; may be empty.")


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


class VariableSerializer(serializers.Serializer):  # type: ignore[type-arg]
    name = serializers.CharField(help_text="What stands between the braces: contact.first_name.")
    label = serializers.CharField()  # type: ignore[assignment]
    group = serializers.CharField()
    kind = serializers.CharField()
    sample = serializers.CharField(help_text="The value of the contact; may be empty.")
    default = serializers.CharField(help_text="A proposal for those who have no value; may be empty.")  # type: ignore[assignment]
    is_always_there = serializers.BooleanField(help_text="Needs no default.")


class VariablesSerializer(serializers.Serializer):  # type: ignore[type-arg]
    results = VariableSerializer(many=True)


class ImportInput(StrictSerializer):
    source = serializers.CharField(max_length=200_000, trim_whitespace=False, help_text="HTML or MJML.")  # type: ignore[assignment]


class ImportedSerializer(serializers.Serializer):  # type: ignore[type-arg]
    blocks = serializers.JSONField(help_text="A tree: settings and blocks.")
    subject = serializers.CharField()
    preheader = serializers.CharField()
    notes = serializers.ListField(child=serializers.CharField(), help_text="What was taken out or left as it is.")


class ComposingActions:
    """Actions of the template views that need no stored template."""

    @extend_schema(responses=BlockLanguageSerializer)
    @action(detail=False, methods=["get"], pagination_class=None, filterset_class=None)
    def language(self, request: Request) -> Response:
        """Of what e-mails are made: settings, blocks, conditions, each with its inputs."""
        return Response(composing.described())

    @extend_schema(request=RenderInput, responses=ShownSerializer)
    @action(detail=False, methods=["post"])
    def render(self, request: Request) -> Response:
        """A draft as a contact would read it, with checks; nothing is stored. Mistakes are told, not refused."""
        data = read(RenderInput, request)
        contact = _contact(data.pop("contact_id", None))
        event: dict[str, Any] = data.pop("event")
        is_marked: bool = data.pop("is_marked")
        shown = composing.show(Draft(**data), contact, {"event": event} if event else {}, is_marked=is_marked)
        return Response(ShownSerializer(shown).data)

    @extend_schema(
        parameters=[OpenApiParameter("contact_id", int, description="Whose values are the examples.")],
        responses=VariablesSerializer,
    )
    @action(detail=False, methods=["get"], pagination_class=None, filterset_class=None)
    def variables(self, request: Request) -> Response:
        """What may stand between braces, with examples."""
        asked = request.query_params.get("contact_id", "")
        contact = _contact(int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 19 else None)
        return Response(VariablesSerializer({"results": selectors.variables(contact)}).data)

    @extend_schema(request=ImportInput, responses=ImportedSerializer)
    @action(detail=False, methods=["post"], url_path="import")
    def bring_in(self, request: Request) -> Response:
        """HTML or MJML made elsewhere, as blocks; what could run or collect is taken out, and told. Not stored."""
        source = read(ImportInput, request)["source"]
        return Response(ImportedSerializer(composing.imported(source)).data)


def _contact(contact_id: int | None) -> Contact | None:
    if contact_id is None:
        return selectors.preview_contact("")
    contact = Contact.objects.filter(pk=contact_id).first()
    if contact is None:
        raise NotFound("There is no such contact.", code="unknown_contact")
    return contact
