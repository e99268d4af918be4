"""How it looks over HTTP when a campaign goes out, to which arms, and how far it is."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from campaigns.api.shapes import VersionSerializer
from campaigns.domain import recurrence
from campaigns.models import CampaignStatus
from common.api.shapes import StrictSerializer
from experiments.services import ArmDraft


class RecurrenceSerializer(StrictSerializer):
    also_accepts = frozenset({"version"})

    every = serializers.ChoiceField(choices=recurrence.EVERY)
    interval = serializers.IntegerField(default=1, min_value=1, max_value=365, help_text="Every so many of them.")
    weekdays = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=7), required=False, max_length=7,
        help_text="For `week`: 1 is Monday, 7 is Sunday.",
    )  # fmt: skip
    month_day = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, max_value=31, help_text="For `month`; 31 is its last day."
    )
    time = serializers.TimeField(format="%H:%M", input_formats=["%H:%M", "%H:%M:%S"])
    zone = serializers.ChoiceField(
        choices=recurrence.ZONES, default="organization", help_text="Whose clock: yours, or each contact's own."
    )
    most_runs = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=1,
        max_value=recurrence.MOST_RUNS,
        help_text="Empty: until `ends_at`.",
    )


class CampaignArmSerializer(StrictSerializer):
    """What the people of an arm get; what it does not name is as the campaign says."""

    also_accepts = frozenset({"id", "is_control"})

    key = serializers.SlugField(max_length=60)
    name = serializers.CharField(max_length=200, required=False, allow_blank=True)
    weight = serializers.FloatField(default=1.0, min_value=0, help_text="Its part of the people.")
    template_id = serializers.IntegerField(allow_null=True, required=False, min_value=1)
    offer_id = serializers.IntegerField(allow_null=True, required=False, min_value=1)
    send_at = serializers.TimeField(allow_null=True, required=False, help_text="By each contact's clock.")


class LaunchInput(VersionSerializer):
    at = serializers.DateTimeField(required=False, allow_null=True, help_text="Empty: now.")


class DecisionInput(VersionSerializer):
    arm = serializers.SlugField(max_length=60, help_text="The key of the arm that the rest gets.")


class RefusalSerializer(serializers.Serializer):  # type: ignore[type-arg]
    reason = serializers.CharField()
    count = serializers.IntegerField()


class ProgressSerializer(serializers.Serializer):  # type: ignore[type-arg]
    status = serializers.ChoiceField(choices=CampaignStatus.choices)
    target_count = serializers.IntegerField()
    queued_count = serializers.IntegerField()
    held_count = serializers.IntegerField()
    sending_count = serializers.IntegerField()
    sent_count = serializers.IntegerField()
    refused_count = serializers.IntegerField()
    failed_count = serializers.IntegerField()
    uncertain_count = serializers.IntegerField()
    cancelled_count = serializers.IntegerField()
    refusals = RefusalSerializer(many=True)
    per_minute = serializers.IntegerField(help_text="Measured over the last minute.")
    seconds_left = serializers.IntegerField(allow_null=True)
    percent = serializers.IntegerField(help_text="Targets that are settled, 0–100.")
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    test_count = serializers.IntegerField(help_text="People in the first test.")
    test_ends_at = serializers.DateTimeField(allow_null=True, help_text="When the rest follows at the latest.")
    winner = serializers.CharField(help_text="The key of the arm that those without an arm get; empty: none.")
    note = serializers.CharField(help_text="What the run waits for, or why it stopped.")
    run_count = serializers.IntegerField(help_text="Sends that have begun; more than one if recurring.")
    next_at = serializers.DateTimeField(
        allow_null=True, help_text="The next send, or when messages that wait for their moment are next."
    )
    timed_by = serializers.DictField(
        child=serializers.IntegerField(),
        help_text="With best times: contacts by `own` habit, the `organization`'s, or `fallback`.",
    )
    spent_minor = serializers.IntegerField(help_text="The fixed cost, and that of the messages that left.")
    budget_minor = serializers.IntegerField(allow_null=True)


def arm_drafts(rows: list[dict[str, Any]]) -> list[ArmDraft]:
    """Validated input as the service takes it; the first arm is the control."""
    return [_arm(row, is_control=place == 0) for place, row in enumerate(rows)]


def _arm(row: dict[str, Any], *, is_control: bool) -> ArmDraft:
    payload = {name: row[name] for name in ("template_id", "offer_id", "send_at") if row.get(name) is not None}
    return ArmDraft(row["key"], row.get("name") or row["key"], row["weight"], is_control, payload)
