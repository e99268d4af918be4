"""The visible table of steps. To add one: write its module, give it a line here and a contract case."""

from __future__ import annotations

from typing import Any

from automations.steps import (
    assign,
    branch,
    create_task,
    exit,
    experiment,
    notify,
    repeat,
    send_email,
    send_message,
    tags,
    update_fields,
    wait,
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
        "branch": branch.STEP,
        "experiment": experiment.STEP,
        "add_tag": tags.ADD,
        "remove_tag": tags.REMOVE,
        "update_status": update_fields.STATUS,
        "update_priority": update_fields.PRIORITY,
        "assign": assign.STEP,
        "create_task": create_task.STEP,
        "notify": notify.STEP,
        "exit": exit.STEP,
    },
)
