"""How simulations and walks look over HTTP."""

from __future__ import annotations

from rest_framework import serializers

from automations.models import Simulation
from automations.models.simulations import MOST_DAYS
from automations.simulation import work
from common.api.shapes import StrictSerializer
from segments.api.insight_shapes import NodeShape


class SimulationInput(StrictSerializer):
    days = serializers.IntegerField(required=False, min_value=1, max_value=MOST_DAYS, default=work.DAYS)
    what = serializers.CharField(
        required=False,
        allow_blank=True,
        help_text="draft, published or a version's number; left out: the draft if any.",
    )
    flow = serializers.DictField(
        required=False, help_text="Fields of a workflow that was saved nowhere: trigger_type, actions, …"
    )


class SimulationSerializer(serializers.ModelSerializer):  # type: ignore[type-arg]
    version = serializers.IntegerField(source="version.number", default=None, allow_null=True)
    result = serializers.DictField(
        allow_null=True,
        help_text=(
            "entries, people, per_day, steps by id, outcomes, goal, messages, cost, notes (what it cannot know)."
        ),
    )

    class Meta:
        model = Simulation
        fields = [
            "id", "automation_id", "version", "days", "since", "until", "status", "done_count", "whole_count",
            "error", "author", "created_at", "finished_at", "result",
        ]  # fmt: skip
        read_only_fields = fields


class SimulationLineSerializer(SimulationSerializer):
    """As in lists: without the result."""

    class Meta(SimulationSerializer.Meta):
        fields = [name for name in SimulationSerializer.Meta.fields if name != "result"]
        read_only_fields = fields


class LatestSerializer(SimulationSerializer):
    """With `steps` as the canvas writes them beside its cards."""

    steps = serializers.DictField(
        help_text="Step id → simulated, passed, now, conversion, ways, messages, cost, href."
    )
    cost = serializers.CharField(help_text="What the messages would have cost; empty without a price per message.")

    class Meta(SimulationSerializer.Meta):
        fields = [*SimulationSerializer.Meta.fields, "steps", "cost"]
        read_only_fields = fields


class ImaginedInput(StrictSerializer):
    name = serializers.CharField(max_length=200)
    at = serializers.DateTimeField()
    properties = serializers.DictField(required=False, default=dict)


class WalkInput(StrictSerializer):
    contact_id = serializers.IntegerField(min_value=1, max_value=2**63 - 1)
    at = serializers.DateTimeField(required=False, help_text="When the contact would enter; left out: now.")
    what = serializers.CharField(required=False, allow_blank=True)
    flow = serializers.DictField(required=False)
    answers = serializers.DictField(
        child=serializers.CharField(),
        required=False,
        help_text="Step id → the branch to take, whatever the rules say.",
    )
    events = ImaginedInput(many=True, required=False, help_text="Events that are let come; at most 20.")


class ReasonShape(serializers.Serializer):  # type: ignore[type-arg]
    way = serializers.CharField(help_text="The way whose rule it is; empty where a step has one rule.")
    why = NodeShape()


class MessageShape(serializers.Serializer):  # type: ignore[type-arg]
    template_id = serializers.IntegerField()
    template = serializers.CharField()
    channel = serializers.CharField()
    goes_at = serializers.DateTimeField(allow_null=True)
    reason = serializers.CharField(help_text="Why it would not go; empty: it would.")


class StopShape(serializers.Serializer):  # type: ignore[type-arg]
    step_id = serializers.CharField()
    action_type = serializers.CharField()
    sentence = serializers.CharField()
    at = serializers.DateTimeField()
    left_at = serializers.DateTimeField(allow_null=True)
    way = serializers.CharField()
    branch = serializers.CharField()
    is_forced = serializers.BooleanField()
    reasons = ReasonShape(many=True)
    message = MessageShape(allow_null=True)


class JourneyShape(serializers.Serializer):  # type: ignore[type-arg]
    contact_id = serializers.IntegerField()
    at = serializers.DateTimeField()
    keeps_out = serializers.CharField(help_text="What would keep the contact out; empty: nothing.")
    outcome = serializers.CharField()
    ended_at = serializers.DateTimeField(allow_null=True)
    goal_at = serializers.DateTimeField(allow_null=True)
    stops = StopShape(many=True)
