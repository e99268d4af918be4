"""The shape of a read-out."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from experiments.domain.comparison import Difference
from experiments.domain.read_outs import Compared, MetricReadOut
from experiments.selectors import ReadOut, words


class EffectSerializer(serializers.Serializer[Any]):
    value = serializers.FloatField()
    low = serializers.FloatField()
    high = serializers.FloatField()
    p_value = serializers.FloatField()


class ComparedSerializer(serializers.Serializer[Any]):
    arm = serializers.CharField()
    sentence = serializers.CharField()
    fixed = EffectSerializer(help_text="For one look at the end.")
    at_any_time = EffectSerializer(help_text="Holds however often one looks.")
    lift = EffectSerializer(allow_null=True, help_text="As a share of control; null where control has nothing.")
    lift_at_any_time = EffectSerializer(allow_null=True)
    adjusted_p = serializers.FloatField(help_text="At any time, after Benjamini and Hochberg over all comparisons.")
    is_shown = serializers.BooleanField()
    is_harmed = serializers.BooleanField(help_text="A guardrail got worse beyond its tolerance.")


class ArmFigureSerializer(serializers.Serializer[Any]):
    arm = serializers.CharField()
    people = serializers.IntegerField()
    total = serializers.FloatField()
    value = serializers.FloatField()
    low = serializers.FloatField()
    high = serializers.FloatField()
    to_be_best = serializers.FloatField()
    expected_loss = serializers.FloatField()


class MetricFigureSerializer(serializers.Serializer[Any]):
    key = serializers.CharField()
    name = serializers.CharField()
    role = serializers.CharField()
    unit = serializers.CharField(help_text="share, minor units of a currency, or number")
    variance_reduction = serializers.FloatField(help_text="By CUPED, 0 to 1.")
    arms = ArmFigureSerializer(many=True)
    compared = ComparedSerializer(many=True)


class BalanceSerializer(serializers.Serializer[Any]):
    expected = serializers.ListField(child=serializers.FloatField())
    p_value = serializers.FloatField()
    p_at_any_time = serializers.FloatField()
    is_off = serializers.BooleanField()


class ReadOutSerializer(serializers.Serializer[Any]):
    tone = serializers.ChoiceField(choices=["good", "bad", "wait", "alarm"])
    verdict = serializers.CharField()
    what_now = serializers.CharField()
    people = serializers.DictField(child=serializers.IntegerField(), help_text="Arm → people who met it.")
    waiting = serializers.IntegerField(help_text="Still to be counted.")
    days = serializers.IntegerField()
    problems = serializers.DictField(child=serializers.IntegerField())
    balance = BalanceSerializer(allow_null=True)
    metrics = MetricFigureSerializer(many=True)


def answer(made: ReadOut) -> dict[str, Any]:
    """A read-out as plain JSON, lists by arm with the arm's key."""
    balance = made.balance
    return {
        "tone": made.verdict.tone,
        "verdict": made.verdict.sentence,
        "what_now": made.verdict.what_now,
        "people": {arm.key: count for arm, count in zip(made.arms, made.people, strict=True)},
        "waiting": made.waiting,
        "days": made.days,
        "problems": made.problems,
        "balance": balance
        and {
            "expected": balance.expected,
            "p_value": balance.p_value,
            "p_at_any_time": balance.p_at_any_time,
            "is_off": balance.is_off,
        },
        "metrics": [_metric(made, one) for one in made.metrics],
    }


def _metric(made: ReadOut, one: MetricReadOut) -> dict[str, Any]:
    money = f"minor units of {made.currency}" if one.metric.is_money else ""
    return {
        "key": one.metric.key,
        "name": one.metric.name,
        "role": one.metric.role,
        "unit": money or ("share" if one.metric.kind == "conversion" else "number"),
        "variance_reduction": one.variance_reduction,
        "arms": [
            {
                "arm": arm.key, "people": figure.n, "total": figure.total, "value": figure.value, "low": figure.low,
                "high": figure.high, "to_be_best": figure.to_be_best, "expected_loss": figure.expected_loss,
            }
            for arm, figure in zip(made.arms, one.arms, strict=False)
        ],
        "compared": [_compared(made, one, other) for other in one.compared],
    }  # fmt: skip


def _compared(made: ReadOut, one: MetricReadOut, other: Compared) -> dict[str, Any]:
    return {
        "arm": made.arms[other.place].key,
        "sentence": words.sentence(made, one, other),
        "fixed": _difference(other.fixed),
        "at_any_time": _difference(other.at_any_time),
        "lift": _difference(other.lift),
        "lift_at_any_time": _difference(other.lift_at_any_time),
        "adjusted_p": other.adjusted_p,
        "is_shown": other.is_shown,
        "is_harmed": other.is_harmed,
    }


def _difference(one: Difference | None) -> dict[str, float] | None:
    return one and {"value": one.value, "low": one.low, "high": one.high, "p_value": one.p_value}
