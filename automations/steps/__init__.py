"""The visible table of steps. To add one: write its module, give it a line here and a contract case."""

from __future__ import annotations

from typing import Any

from automations.steps import (
    assign,
    branch,
    branch_many,
    create_task,
    emit_event,
    exit,
    experiment,
    notify,
    random_split,
    repeat,
    segments,
    send_email,
    send_message,
    start_automation,
    tags,
    update_attribute,
    update_fields,
    wait,
    wait_for_date,
    wait_for_time,
    wait_until,
)
from automations.steps.base import StepKind
from common.registry import Registry

STEPS: Registry[StepKind[Any]] = Registry(
    "step",
    {
        "send_email": send_email.STEP,
        "send_push": send_message.PUSH,
        "send_sms": send_message.SMS,
        "send_whatsapp": send_message.WHATSAPP,
        "send_in_app": send_message.IN_APP,
        "send_webhook": send_message.WEBHOOK,
        "send_slack": send_message.SLACK,
        "send_message": send_message.STEP,
        "wait": wait.STEP,
        "wait_until": wait_until.STEP,
        "repeat": repeat.STEP,
        "wait_for_time": wait_for_time.STEP,
        "wait_for_date": wait_for_date.STEP,
        "branch": branch.STEP,
        "branch_many": branch_many.STEP,
        "random_split": random_split.STEP,
        "experiment": experiment.STEP,
        "add_tag": tags.ADD,
        "remove_tag": tags.REMOVE,
        "update_status": update_fields.STATUS,
        "update_priority": update_fields.PRIORITY,
        "update_attribute": update_attribute.STEP,
        "update_value": update_attribute.VALUE,
        "add_to_segment": segments.ADD,
        "remove_from_segment": segments.REMOVE,
        "assign": assign.STEP,
        "create_task": create_task.STEP,
        "notify": notify.STEP,
        "emit_event": emit_event.STEP,
        "start_automation": start_automation.STEP,
        "exit": exit.STEP,
    },
)
