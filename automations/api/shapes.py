"""How workflows, their runs and tasks look over HTTP. Only shapes: what is right is said by the services."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from audience.models import Priority
from automations.models import (
    Automation,
    AutomationRun,
    EntryRule,
    ErrorPolicy,
    Outcome,
    ScheduledTask,
    ScheduleKind,
    Task,
    TaskNote,
    TaskStatus,
)
from automations.services.kinds import KINDS
from automations.services.publishing import spelled
from automations.steps import STEPS
from automations.triggers import TRIGGERS
from common.api.shapes import StrictSerializer
from delivery.models import Weight


class ActionSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """A step. Its kind decides what stands in `configuration`; a branching step holds lists of steps."""

    id = serializers.CharField(required=False, help_text="Names the step for ever; made from its type when left out.")
    action_type = serializers.ChoiceField(choices=[(name, kind.label) for name, kind in STEPS.items()])
    action_order = serializers.IntegerField(required=False, min_value=0)
    is_active = serializers.BooleanField(required=False)
    on_error = serializers.ChoiceField(
        choices=ErrorPolicy.choices, required=False, help_text="What becomes of a run when the step fails for good."
    )
    configuration = serializers.DictField(required=False)
    branches = serializers.DictField(
        child=serializers.ListField(child=serializers.DictField()), required=False, help_text="Name → list of steps."
    )


@extend_schema_field(ActionSerializer(many=True))
class ActionsField(serializers.JSONField):
    """A list of steps as it was sent; publishing checks it and names every place that is wrong."""


@extend_schema_field(serializers.DictField())
class ObjectField(serializers.JSONField):
    """A JSON object as it was sent; checked by the kind it configures."""


class AutomationSerializer(serializers.ModelSerializer):  # type: ignore[type-arg]
    version = serializers.IntegerField(source="current_version.number", default=None, allow_null=True)
    trigger_configuration = serializers.DictField()
    goal_rule = serializers.DictField(source="current_version.document.goal", default=None, allow_null=True)
    exit_rule = serializers.DictField(source="current_version.document.exit", default=None, allow_null=True)
    actions = serializers.SerializerMethodField()

    class Meta:
        model = Automation
        fields = [
            "id", "name", "slug", "description", "is_active", "run_immediately", "weight", "shelf_hours",
            "holdout_percent", "trigger_type", "trigger_configuration", "entry_rule", "entry_days", "entry_key",
            "goal_rule", "exit_rule", "version", "actions", "created_at", "updated_at",
        ]  # fmt: skip

    @extend_schema_field(ActionSerializer(many=True))
    def get_actions(self, automation: Automation) -> list[dict[str, Any]]:
        version = automation.current_version
        actions: list[dict[str, Any]] = spelled(version)["actions"] if version else []
        return actions


class AutomationInput(StrictSerializer):
    also_accepts = frozenset({"id", "version", "created_at", "updated_at"})

    name = serializers.CharField(max_length=200)
    slug = serializers.CharField(max_length=100, required=False, help_text="Left out: made from the name.")
    description = serializers.CharField(max_length=10_000, allow_blank=True, required=False)
    trigger_type = serializers.ChoiceField(choices=[(name, kind.label) for name, kind in TRIGGERS.items()])
    trigger_configuration = ObjectField(required=False)
    entry_rule = serializers.ChoiceField(choices=EntryRule.choices, required=False)
    entry_days = serializers.IntegerField(
        allow_null=True, required=False, min_value=1, max_value=3660, help_text="For after_days."
    )
    entry_key = serializers.CharField(
        max_length=300, allow_blank=True, required=False,
        help_text='For concurrent: where the value stands, such as "event.properties.order_id".',
    )  # fmt: skip
    goal_rule = ObjectField(
        allow_null=True, required=False, help_text="A segment rule: whoever meets it has reached the goal and leaves."
    )
    exit_rule = ObjectField(
        allow_null=True, required=False, help_text="A segment rule: whoever meets it leaves without the goal."
    )
    is_active = serializers.BooleanField(required=False)
    run_immediately = serializers.BooleanField(required=False)
    weight = serializers.ChoiceField(
        choices=Weight.choices, required=False, help_text="When caps leave room for one, the greater goes."
    )
    shelf_hours = serializers.IntegerField(allow_null=True, required=False, min_value=1, max_value=8760)
    holdout_percent = serializers.DecimalField(
        max_digits=4, decimal_places=1, required=False, min_value=0, max_value=50
    )
    actions = ActionsField(required=False)


class StartInput(StrictSerializer):
    """Contacts by our id, by the client's own id, or both."""

    contact_ids = serializers.ListField(
        child=serializers.IntegerField(min_value=1), required=False, max_length=10_000
    )
    user_ids = serializers.ListField(child=serializers.CharField(max_length=300), required=False, max_length=10_000)


class StartAnswer(serializers.Serializer):  # type: ignore[type-arg]
    entered = serializers.IntegerField(help_text="Contacts who started.")
    not_entered = serializers.IntegerField(help_text="Contacts whom the entry rule kept out.")
    run_ids = serializers.ListField(child=serializers.IntegerField())


class StopAnswer(serializers.Serializer):  # type: ignore[type-arg]
    left = serializers.IntegerField(source="people", help_text="People who were inside.")
    withdrawn = serializers.IntegerField(source="messages", help_text="Messages of theirs that waited.")


class AutomationRunSerializer(serializers.ModelSerializer):  # type: ignore[type-arg]
    contact_id = serializers.IntegerField()
    version = serializers.IntegerField(source="version.number")

    class Meta:
        model = AutomationRun
        fields = [
            "id", "contact_id", "version", "status", "exit_reason", "step_id", "run_at", "waiting_since",
            "waits_until", "wakes_on", "attempts", "step_count", "depth", "error", "entered_at", "finished_at",
        ]  # fmt: skip


class ScheduledTaskSerializer(serializers.ModelSerializer):  # type: ignore[type-arg]
    payload = serializers.DictField()
    result = serializers.DictField()

    class Meta:
        model = ScheduledTask
        fields = [
            "id", "name", "task_type", "payload", "schedule_type", "run_at", "cron", "timezone", "priority",
            "status", "is_active", "attempts", "most_retries", "turn_count", "result", "error", "last_run_at",
            "completed_at", "created_at",
        ]  # fmt: skip


class ScheduledTaskInput(StrictSerializer):
    also_accepts = frozenset(
        {"id", "status", "attempts", "turn_count", "result", "error", "last_run_at", "completed_at", "created_at"}
    )

    name = serializers.CharField(max_length=200)
    task_type = serializers.ChoiceField(choices=[(name, kind.label) for name, kind in KINDS.items()])
    payload = ObjectField()
    schedule_type = serializers.ChoiceField(choices=ScheduleKind.choices, required=False)
    run_at = serializers.DateTimeField(required=False, help_text="For `once`.")
    delay_seconds = serializers.IntegerField(required=False, min_value=0, help_text="For `delayed`.")
    cron = serializers.CharField(
        max_length=100, allow_blank=True, required=False, help_text="For `recurring`: minute hour day month weekday."
    )
    timezone = serializers.CharField(max_length=64, allow_blank=True, required=False)
    priority = serializers.IntegerField(required=False, help_text="Higher goes first.")
    most_retries = serializers.IntegerField(required=False)
    is_active = serializers.BooleanField(required=False)


class ProcessedSerializer(serializers.Serializer):  # type: ignore[type-arg]
    processed = serializers.IntegerField()
    results = ScheduledTaskSerializer(many=True)


class TaskSerializer(serializers.ModelSerializer):  # type: ignore[type-arg]
    contact_id = serializers.IntegerField(allow_null=True)
    assignee_id = serializers.IntegerField(allow_null=True)
    automation_id = serializers.IntegerField(allow_null=True)

    class Meta:
        model = Task
        fields = [
            "id", "title", "description", "task_type", "priority", "due_date", "snoozed_until", "status", "outcome",
            "contact_id", "assignee_id", "automation_id", "created_at", "done_at",
        ]  # fmt: skip


class TaskInput(StrictSerializer):
    also_accepts = frozenset({"id", "automation_id", "created_at", "done_at"})

    title = serializers.CharField(max_length=300)
    description = serializers.CharField(max_length=10_000, allow_blank=True, required=False)
    task_type = serializers.CharField(max_length=60, required=False)
    priority = serializers.ChoiceField(choices=Priority.choices, required=False)
    due_date = serializers.DateField(required=False, allow_null=True)
    snoozed_until = serializers.DateField(required=False, allow_null=True)
    status = serializers.ChoiceField(choices=TaskStatus.choices, required=False)
    outcome = serializers.ChoiceField(
        choices=Outcome.choices, required=False, allow_blank=True, help_text="What came of a task that is done."
    )
    contact_id = serializers.IntegerField(required=False, allow_null=True)
    assignee_id = serializers.IntegerField(required=False, allow_null=True, help_text="A member's id.")


class DoneInput(StrictSerializer):
    outcome = serializers.ChoiceField(choices=Outcome.choices, required=False)
    note = serializers.CharField(max_length=5_000, allow_blank=True, required=False)


class SnoozeInput(StrictSerializer):
    until = serializers.DateField(help_text="The day on which the task is in sight again; after today.")


class ReassignInput(StrictSerializer):
    assignee_id = serializers.IntegerField(allow_null=True, help_text="A member's id; null for nobody.")


class NoteInput(StrictSerializer):
    text = serializers.CharField(max_length=5_000)


class TaskNoteSerializer(serializers.ModelSerializer):  # type: ignore[type-arg]
    class Meta:
        model = TaskNote
        fields = ["id", "author", "text", "created_at"]


def read(serializer_class: type[StrictSerializer], request: Any, *, partial: bool = False) -> dict[str, Any]:
    """What was sent, in shape."""
    serializer = serializer_class(data=request.data, partial=partial)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)
