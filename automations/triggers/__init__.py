"""The visible table of triggers. To add one: write its module, give it a line here and a contract case."""

from __future__ import annotations

from typing import Any

from automations.triggers import (
    attribute_changed,
    date,
    event,
    form,
    lead_created,
    manual,
    message,
    prediction,
    referral,
    schedule,
    segment,
    tags,
    webhook,
    worth,
)
from automations.triggers.base import TriggerKind
from common.registry import Registry

TRIGGERS: Registry[TriggerKind[Any]] = Registry(
    "trigger",
    {
        "lead_created": lead_created.TRIGGER,
        "attribute_changed": attribute_changed.TRIGGER,
        "status_changed": attribute_changed.STATUS,
        "priority_changed": attribute_changed.PRIORITY,
        "value_changed": worth.TRIGGER,
        "assignee_changed": attribute_changed.ASSIGNEE,
        "tag_added": tags.ADDED,
        "tag_removed": tags.REMOVED,
        "event": event.TRIGGER,
        "message_engaged": message.TRIGGER,
        "referral": referral.TRIGGER,
        "segment_entered": segment.ENTERED,
        "segment_exited": segment.EXITED,
        "prediction_crossed": prediction.TRIGGER,
        "health_changed": prediction.HEALTH_CHANGED,
        "schedule": schedule.TRIGGER,
        "date": date.TRIGGER,
        "webhook": webhook.TRIGGER,
        "form": form.TRIGGER,
        "manual": manual.TRIGGER,
    },
)
