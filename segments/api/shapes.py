"""How segments and their leads look over HTTP."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from common.api.shapes import QuickModelSerializer
from common.errors import Invalid
from segments import rules
from segments.models import Membership, Segment, SegmentFigures, SegmentKind

MOST_LEADS = 10_000
# What a client may send back unchanged from what it read.
ECHOED = frozenset(
    {
        "id",
        "sentence",
        "status",
        "error",
        "member_count",
        "metrics",
        "version_number",
        "built_at",
        "created_at",
        "updated_at",
    }
)


class SegmentMetricsSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """What its members bought in the last `window_days`, as the last analysis counted it."""

    buyer_count = serializers.IntegerField()
    transaction_count = serializers.IntegerField()
    spent_minor = serializers.IntegerField()
    average_order_minor = serializers.IntegerField(allow_null=True, help_text="Spent ÷ transactions.")
    spent_per_member_minor = serializers.IntegerField(allow_null=True, help_text="Spent ÷ members now.")
    currency = serializers.CharField()
    window_days = serializers.IntegerField()
    counted_at = serializers.DateTimeField()


class SegmentSerializer(QuickModelSerializer):
    rule = serializers.JSONField(allow_null=True, help_text="The rule tree; null for a static segment.")
    sentence = serializers.SerializerMethodField()
    metrics = serializers.SerializerMethodField()

    class Meta:
        model = Segment
        fields = [
            "id", "name", "slug", "description", "kind", "rule", "sentence", "version_number", "tags", "is_active",
            "status", "error", "member_count", "metrics", "built_at", "created_at", "updated_at",
        ]  # fmt: skip

    def get_sentence(self, segment: Segment) -> str:
        """The rule in plain language; empty for a static segment."""
        return rules.describe(segment.rule, self.context.get("catalogue")) if segment.rule else ""

    @extend_schema_field(SegmentMetricsSerializer(allow_null=True))
    def get_metrics(self, segment: Segment) -> dict[str, Any] | None:
        """Null until the nightly analysis has counted it."""
        figures: SegmentFigures | None = getattr(segment, "figures", None)
        if figures is None:
            return None
        spent, times, members = figures.spent_minor, figures.transaction_count, segment.member_count
        return {
            "buyer_count": figures.buyer_count, "transaction_count": times, "spent_minor": spent,
            "average_order_minor": round(spent / times) if times else None,
            "spent_per_member_minor": round(spent / members) if members else None,
            "currency": figures.currency, "window_days": figures.window_days,
            "counted_at": figures.counted_at.isoformat().replace("+00:00", "Z"),
        }  # fmt: skip


class SegmentInput(serializers.Serializer):  # type: ignore[type-arg]
    name = serializers.CharField(max_length=200)
    slug = serializers.SlugField(max_length=100, required=False, allow_blank=True)
    description = serializers.CharField(required=False, allow_blank=True, max_length=10_000)
    kind = serializers.ChoiceField(
        choices=SegmentKind.choices, required=False, help_text="Dynamic when a rule is given, static otherwise."
    )
    rule = serializers.JSONField(required=False, allow_null=True, help_text="The rule tree of a dynamic segment.")
    tags = serializers.ListField(child=serializers.CharField(max_length=100), required=False, max_length=50)
    is_active = serializers.BooleanField(required=False)


class LeadSerializer(QuickModelSerializer):
    id = serializers.IntegerField(source="contact_id", help_text="The contact's id.")
    name = serializers.CharField(source="contact.name")
    email = serializers.CharField(source="contact.email")
    user_id = serializers.CharField(source="contact.user_id")

    class Meta:
        model = Membership
        fields = ["id", "name", "email", "user_id", "entered_at"]


# A page of leads straight from its columns: models of two tables for each row cost three times the query.
LEAD_COLUMNS = ("contact_id", "contact__name", "contact__email", "contact__user_id", "entered_at")


def leads(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of LEAD_COLUMNS as LeadSerializer writes them."""
    return [dict(zip(LeadSerializer.Meta.fields, map(row.__getitem__, LEAD_COLUMNS), strict=True)) for row in rows]


class LeadIdsInput(serializers.Serializer):  # type: ignore[type-arg]
    lead_ids = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1), min_length=1, max_length=MOST_LEADS
    )


class LeadsChangedSerializer(serializers.Serializer):  # type: ignore[type-arg]
    changed = serializers.ListField(child=serializers.IntegerField(), help_text="Leads that entered or left now.")
    unchanged = serializers.ListField(
        child=serializers.IntegerField(), help_text="Leads that were there already, or unknown, or not there."
    )
    member_count = serializers.IntegerField()


class EvaluateInput(serializers.Serializer):  # type: ignore[type-arg]
    lead_ids = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1),
        required=False,
        max_length=MOST_LEADS,
        help_text="Contacts to judge; without them the answer is the size and a sample.",
    )
    rule = serializers.JSONField(required=False, help_text="A rule to try instead of the segment's own.")


class VerdictSerializer(serializers.Serializer):  # type: ignore[type-arg]
    id = serializers.IntegerField(source="contact_id")
    is_match = serializers.BooleanField()
    flips_at = serializers.DateTimeField(
        allow_null=True, help_text="Before this moment time alone changes nothing; null: never."
    )


class SampleSerializer(serializers.Serializer):  # type: ignore[type-arg]
    id = serializers.IntegerField()
    name = serializers.CharField()
    email = serializers.CharField()


class EvaluationSerializer(serializers.Serializer):  # type: ignore[type-arg]
    sentence = serializers.CharField()
    results = VerdictSerializer(many=True, required=False)
    size = serializers.IntegerField(required=False)
    sample = SampleSerializer(many=True, required=False)


def read(serializer_class: Any, data: Any, *, partial: bool = False, echoed: frozenset[str] = frozenset()) -> Any:
    """The checked values of a body; unknown fields are refused."""
    serializer = serializer_class(data=data, partial=partial)
    if isinstance(data, dict) and (unknown := sorted(data.keys() - serializer.fields.keys() - echoed)):
        sentence = f"Unknown field; known: {', '.join(serializer.fields)}."
        raise Invalid("Some fields are unknown.", details={name[:60]: sentence for name in unknown[:20]})
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)
