"""How what is told about a segment looks over HTTP: explanation, log, growth, overlap, composition, versions."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from segments.insight.movements import CHANGES


class ContactShape(serializers.Serializer):  # type: ignore[type-arg]
    id = serializers.IntegerField()
    name = serializers.CharField()
    email = serializers.CharField()


class SegmentShape(serializers.Serializer):  # type: ignore[type-arg]
    id = serializers.IntegerField()
    slug = serializers.CharField()
    name = serializers.CharField()
    member_count = serializers.IntegerField()


class HappenedShape(serializers.Serializer):  # type: ignore[type-arg]
    id = serializers.IntegerField(source="event_id")
    event = serializers.CharField(source="name")
    happened_at = serializers.DateTimeField()
    properties = serializers.JSONField()
    is_inside = serializers.BooleanField(
        allow_null=True, help_text="Whether it lies in the window of the condition; null: there is none."
    )


class EvidenceShape(serializers.Serializer):  # type: ignore[type-arg]
    text = serializers.CharField(help_text="What the contact has or did, in words.")
    value = serializers.JSONField(allow_null=True, help_text="The contact's value of the field.")
    total = serializers.IntegerField(allow_null=True, help_text="Matching events up to now.")
    inside = serializers.IntegerField(allow_null=True, help_text="How many of them lie in the window.")
    events = HappenedShape(many=True, help_text="The latest of them, newest first.")


class NodeShape(serializers.Serializer):  # type: ignore[type-arg]
    path = serializers.CharField(help_text="`rule` for the whole, `rules[0].rules[1]` for what stands inside.")
    words = serializers.CharField()
    match = serializers.CharField(help_text="all, any, none or at_least for a group; empty for a condition.")
    is_true = serializers.BooleanField()
    flips_at = serializers.DateTimeField(
        allow_null=True, help_text="Before this moment time alone changes nothing; null: never."
    )
    evidence = EvidenceShape(allow_null=True)

    def get_fields(self) -> dict[str, Any]:
        # A rule holds rules.
        return super().get_fields() | {"rules": NodeShape(many=True, source="children")}


class ExplanationShape(serializers.Serializer):  # type: ignore[type-arg]
    segment = SegmentShape()
    contact = ContactShape()
    verdict = serializers.CharField()
    is_member = serializers.BooleanField(help_text="Whether the contact stands in the segment.")
    entered_at = serializers.DateTimeField(allow_null=True)
    left_at = serializers.DateTimeField(allow_null=True)
    is_match = serializers.BooleanField(allow_null=True, help_text="What the rule says now; null: there is none.")
    agrees = serializers.BooleanField(help_text="False while membership and rule differ; `note` says why.")
    flips_at = serializers.DateTimeField(allow_null=True)
    note = serializers.CharField()
    sentence = serializers.CharField()
    rule = NodeShape(source="node", allow_null=True)


class MovementShape(serializers.Serializer):  # type: ignore[type-arg]
    at = serializers.DateTimeField()
    change = serializers.ChoiceField(choices=[(change, change) for change in CHANGES])
    contact_id = serializers.IntegerField()
    contact = ContactShape(allow_null=True, help_text="Null when the contact is gone.")


class MovementsShape(serializers.Serializer):  # type: ignore[type-arg]
    results = MovementShape(many=True)
    next = serializers.URLField(allow_null=True, help_text="The page of what happened before.")
    previous = serializers.URLField(allow_null=True)


class HistoryQuery(serializers.Serializer):  # type: ignore[type-arg]
    change = serializers.ChoiceField(choices=[(change, change) for change in CHANGES], required=False)
    contact = serializers.IntegerField(required=False, min_value=1, max_value=2**63 - 1)
    since = serializers.DateTimeField(required=False, help_text="From this moment on.")
    until = serializers.DateTimeField(required=False, help_text="To just before this moment.")
    limit = serializers.IntegerField(required=False, min_value=1, max_value=500, default=50)
    cursor = serializers.CharField(required=False, default="")


class DayShape(serializers.Serializer):  # type: ignore[type-arg]
    day = serializers.DateField()
    entered = serializers.IntegerField()
    left = serializers.IntegerField()
    size = serializers.IntegerField(help_text="At the end of the day; for today: now.")


class GrowthShape(serializers.Serializer):  # type: ignore[type-arg]
    zone = serializers.CharField(help_text="The days are days of this time zone.")
    entered = serializers.IntegerField()
    left = serializers.IntegerField()
    days = DayShape(many=True)


class CellShape(serializers.Serializer):  # type: ignore[type-arg]
    segments = serializers.SerializerMethodField()
    count = serializers.IntegerField(help_text="Contacts in exactly these segments and none of the others.")
    error = serializers.IntegerField(help_text="The true number is this near, in 95 of 100 cases; 0: exact.")

    def get_segments(self, cell: Any) -> list[int]:
        return [segment.pk for segment in cell.segments]


class OverlapShape(serializers.Serializer):  # type: ignore[type-arg]
    segments = SegmentShape(many=True)
    contact_count = serializers.IntegerField(help_text="Contacts in at least one of them.")
    is_exact = serializers.BooleanField(help_text="False: estimated from members drawn by chance.")
    cells = CellShape(many=True)


class PartShape(serializers.Serializer):  # type: ignore[type-arg]
    value = serializers.CharField(help_text="Empty: not set.")
    inside = serializers.IntegerField(help_text="Members with this value.")
    everybody = serializers.IntegerField(help_text="Contacts with this value.")
    inside_share = serializers.FloatField()
    everybody_share = serializers.FloatField()
    difference = serializers.FloatField(help_text="Share among members minus share among everybody.")
    inside_error = serializers.FloatField(help_text="The true share is this near, in 95 of 100 cases; 0: exact.")
    everybody_error = serializers.FloatField()


class CompositionShape(serializers.Serializer):  # type: ignore[type-arg]
    field = serializers.CharField()
    label = serializers.CharField()
    is_exact = serializers.BooleanField(help_text="False: estimated from a sample of `sampled` members.")
    sampled = serializers.IntegerField()
    parts = PartShape(many=True)


class ChangedShape(serializers.Serializer):  # type: ignore[type-arg]
    before = serializers.CharField()
    after = serializers.CharField()


class DiffShape(serializers.Serializer):  # type: ignore[type-arg]
    added = serializers.ListField(child=serializers.CharField())
    removed = serializers.ListField(child=serializers.CharField())
    changed = serializers.SerializerMethodField()
    is_regrouped = serializers.BooleanField()

    def get_changed(self, diff: Any) -> list[dict[str, str]]:
        return [{"before": before, "after": after} for before, after in diff.changed]


class VersionShape(serializers.Serializer):  # type: ignore[type-arg]
    number = serializers.IntegerField(source="version.number")
    author = serializers.CharField(source="version.author")
    created_at = serializers.DateTimeField(source="version.created_at")
    rule = serializers.JSONField(source="version.rule")
    sentence = serializers.CharField()
    is_current = serializers.BooleanField()
    diff = DiffShape(allow_null=True, help_text="What changed since the version before; null: it is the first.")
