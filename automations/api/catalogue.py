"""`/api/v1/automations/catalog/`: everything a workflow can start on and do, for apps that build workflows."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from automations import catalogue
from common.api.views import ApiView

FIELD_TYPES = [
    "text", "long_text", "integer", "number", "boolean", "choice", "choices", "span", "time", "date", "day", "cron",
    "rule", "rules_where", "template", "segment", "member", "members", "offer", "experiment", "automation",
    "attribute", "event", "tag", "json", "list", "object",
]  # fmt: skip


class KindChoiceSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """One value to choose. Templates also tell their `channel`, segments their `kind`, experiments the `branches`
    that they bring."""

    value = serializers.JSONField()
    label = serializers.CharField()  # type: ignore[assignment]
    channel = serializers.CharField(required=False)
    kind = serializers.CharField(required=False)
    branches = serializers.ListField(child=serializers.CharField(), required=False)


class InnerFieldSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """One key of a configuration. A span without a name stands for days, hours, minutes and seconds beside it."""

    name = serializers.CharField(allow_blank=True)
    label = serializers.CharField()  # type: ignore[assignment]
    help = serializers.CharField(allow_blank=True)
    type = serializers.ChoiceField(choices=FIELD_TYPES)
    required = serializers.BooleanField()  # type: ignore[assignment]
    default = serializers.JSONField(allow_null=True)  # type: ignore[assignment]
    choices = KindChoiceSerializer(many=True)
    minimum = serializers.FloatField(allow_null=True)
    maximum = serializers.FloatField(allow_null=True)
    channel = serializers.CharField(allow_blank=True, help_text="Of a template: only those of this channel.")
    fields = serializers.ListField(child=serializers.DictField())  # type: ignore[assignment]


class KindFieldSerializer(InnerFieldSerializer):
    """A list of objects, or an object, has `fields` of its own, described the same way."""

    fields = InnerFieldSerializer(many=True)  # type: ignore[assignment]


class KindBranchesSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """`named`: besides `names`, one for each `name` in the list of ways, or for each branch of the choice, that the
    field `from` holds."""

    kind = serializers.ChoiceField(choices=["none", "fixed", "named"])
    names = serializers.ListField(child=serializers.CharField())
    labels = serializers.DictField(child=serializers.CharField())

    def get_fields(self) -> dict[str, serializers.Field]:  # type: ignore[type-arg]
        """`from` is a word of Python."""
        return {**super().get_fields(), "from": serializers.CharField(allow_blank=True)}


class WorkflowKindSerializer(serializers.Serializer):  # type: ignore[type-arg]
    type = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    doc = serializers.CharField()
    group = serializers.CharField()
    fields = KindFieldSerializer(many=True)  # type: ignore[assignment]
    branches = KindBranchesSerializer()
    example = serializers.DictField(help_text="A configuration as one would send it.")


class NamedValueSerializer(serializers.Serializer):  # type: ignore[type-arg]
    value = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]


class AutomationCatalogSerializer(serializers.Serializer):  # type: ignore[type-arg]
    triggers = WorkflowKindSerializer(many=True)
    steps = WorkflowKindSerializer(many=True)
    entry_rules = NamedValueSerializer(many=True)
    error_policies = NamedValueSerializer(many=True)


class CatalogView(ApiView):
    """Every kind of trigger and step with its fields, and what this organisation has to choose from."""

    resource = "automations"

    @extend_schema(responses=AutomationCatalogSerializer)
    def get(self, request: Request) -> Response:
        """Every kind of trigger and step with its fields, and what this organisation has to choose from."""
        return Response(catalogue.describe())
