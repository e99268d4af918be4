"""How experiments look over HTTP."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from common.api.shapes import QuickModelSerializer, StrictSerializer
from experiments.domain import states, winners
from experiments.domain.metrics import Direction, Kind, Role
from experiments.models import Allocation, Experiment, Unit
from experiments.services import ArmDraft


class ExperimentVersionSerializer(StrictSerializer):
    version = serializers.IntegerField(required=False, min_value=1, help_text="Refuse if it is another one by now.")


class ArmSerializer(StrictSerializer):
    also_accepts = frozenset({"id", "position"})

    key = serializers.SlugField(max_length=60)
    name = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")
    weight = serializers.FloatField(default=1.0, help_text="Its part of the people: 1 and 1 are halves.")
    is_control = serializers.BooleanField(default=False, help_text="None: the first arm is the control.")
    payload = serializers.DictField(required=False, default=dict, help_text="What it means to your app.")


class MetricSerializer(StrictSerializer):
    key = serializers.SlugField(max_length=60)
    name = serializers.CharField(max_length=200)
    kind = serializers.ChoiceField(choices=[kind.value for kind in Kind])
    event = serializers.CharField(max_length=200)
    where = serializers.ListField(
        child=serializers.DictField(), default=list, help_text="Property filters as segment rules spell them."
    )
    property = serializers.CharField(
        max_length=200, default="", allow_blank=True, help_text="A number of the event; empty: its money."
    )
    per_event = serializers.CharField(max_length=200, default="", allow_blank=True, help_text="For a ratio.")
    per_where = serializers.ListField(child=serializers.DictField(), default=list)
    window_days = serializers.IntegerField(default=14, help_text="Days after the first exposure that count.")
    role = serializers.ChoiceField(choices=[role.value for role in Role], default=Role.SECONDARY.value)
    direction = serializers.ChoiceField(choices=[one.value for one in Direction], default=Direction.UP.value)
    cuped_days = serializers.IntegerField(default=0, help_text="Days before the exposure to compare with; 0: none.")
    cap = serializers.FloatField(default=None, allow_null=True, help_text="The most that one person counts for.")
    tolerance = serializers.FloatField(default=0.0, help_text="Of a guardrail: the share it may get worse by.")


class WinnerRuleSerializer(StrictSerializer):
    is_on = serializers.BooleanField(default=False)
    proof = serializers.ChoiceField(
        choices=[proof.value for proof in winners.Proof], default=winners.Proof.ALWAYS_VALID.value
    )
    minimum_days = serializers.IntegerField(default=7)
    minimum_people = serializers.IntegerField(default=100, help_text="In each arm.")
    chance = serializers.FloatField(default=0.95)
    loss = serializers.FloatField(default=0.005, help_text="As a share of control's value.")


class ExperimentSerializer(QuickModelSerializer):
    arms = serializers.SerializerMethodField()
    winner = serializers.SerializerMethodField()
    metrics = MetricSerializer(many=True)
    winner_rule = WinnerRuleSerializer()
    allowed_actions = serializers.SerializerMethodField()

    class Meta:
        model = Experiment
        fields = [
            "id", "key", "name", "hypothesis", "status", "unit", "seed", "namespace", "namespace_start",
            "namespace_end", "coverage", "allocation", "arms", "metrics", "winner_rule", "winner", "source_type",
            "source_id", "started_at", "stopped_at", "version", "created_at", "updated_at", "allowed_actions",
        ]  # fmt: skip

    def get_arms(self, experiment: Experiment) -> list[dict[str, Any]]:
        arms = sorted(experiment.arms.all(), key=lambda arm: arm.position)
        names = ("id", "key", "name", "weight", "is_control", "payload")
        return [{name: getattr(arm, name) for name in names} for arm in arms]

    def get_winner(self, experiment: Experiment) -> str | None:
        return next((arm.key for arm in experiment.arms.all() if arm.pk == experiment.winner_id), None)

    def get_allowed_actions(self, experiment: Experiment) -> list[str]:
        return states.allowed(experiment.status)


class ExperimentInput(StrictSerializer):
    also_accepts = frozenset(
        {"id", "status", "winner", "source_type", "source_id", "started_at", "stopped_at", "created_at", "updated_at",
         "allowed_actions"}
    )  # fmt: skip

    name = serializers.CharField(max_length=200)
    key = serializers.SlugField(max_length=100, required=False, help_text="Left out: it follows the name.")
    hypothesis = serializers.CharField(required=False, allow_blank=True)
    unit = serializers.ChoiceField(choices=Unit.choices, required=False)
    seed = serializers.CharField(max_length=100, required=False, allow_blank=True)
    namespace = serializers.CharField(max_length=100, required=False, allow_blank=True)
    namespace_start = serializers.FloatField(required=False, min_value=0, max_value=1)
    namespace_end = serializers.FloatField(required=False, min_value=0, max_value=1)
    coverage = serializers.FloatField(required=False, min_value=0, max_value=1)
    allocation = serializers.ChoiceField(choices=Allocation.choices, required=False)
    arms = ArmSerializer(many=True, required=False)
    metrics = MetricSerializer(many=True, required=False)
    winner_rule = WinnerRuleSerializer(required=False)
    version = serializers.IntegerField(required=False, min_value=1, help_text="Refuse if it is another one by now.")


def drafts(data: dict[str, Any]) -> tuple[dict[str, Any], list[ArmDraft] | None]:
    """What the services take: fields, and arms where they are given."""
    values = {name: value for name, value in data.items() if name not in ("arms", "version")}
    arms = data.get("arms")
    return values, None if arms is None else [ArmDraft(**arm) for arm in arms]


class StopInput(ExperimentVersionSerializer):
    winner = serializers.CharField(
        required=False, allow_null=True, default=None, help_text="The key of the arm that everybody gets from now on."
    )


class ExposureInput(StrictSerializer):
    contact_id = serializers.IntegerField(required=False, min_value=1, max_value=2**63 - 1)
    user_id = serializers.CharField(required=False, max_length=300)
    arm = serializers.CharField(max_length=200, help_text="The key of the arm they met, or its place from 0.")
    happened_at = serializers.DateTimeField(required=False, help_text="Left out: now.")


class DecisionSerializer(serializers.Serializer[Any]):
    experiment = serializers.CharField()
    arm = serializers.CharField()
    is_in = serializers.BooleanField(help_text="Drawn for this person; else it is the winner, or the control.")
    payload = serializers.DictField()


class FeaturesSerializer(serializers.Serializer[Any]):
    status = serializers.IntegerField()
    features = serializers.DictField(help_text="Key → default value and rules, as GrowthBook's SDKs take them.")


class PlanInput(StrictSerializer):
    metric = MetricSerializer()
    lift = serializers.FloatField(help_text="0.05: five per cent more than now.")
    arms = serializers.IntegerField(default=2, min_value=2, max_value=20)
    coverage = serializers.FloatField(default=1.0, min_value=0.001, max_value=1)
    people_a_day = serializers.FloatField(required=False, min_value=0.001, max_value=1e9)
    power = serializers.FloatField(default=0.8, min_value=0.5, max_value=0.99)


class PlanSerializer(serializers.Serializer[Any]):
    base = serializers.FloatField()
    deviation = serializers.FloatField()
    sampled = serializers.IntegerField()
    people_a_day = serializers.FloatField()
    people_per_arm = serializers.IntegerField()
    people = serializers.IntegerField()
    days = serializers.IntegerField()
    smallest_effect = serializers.FloatField(allow_null=True, help_text="The lift that four weeks would show.")
    sentence = serializers.CharField()


class ReserveSerializer(StrictSerializer):
    share = serializers.FloatField(min_value=0, max_value=0.5, help_text="Of everybody; they take part in nothing.")
