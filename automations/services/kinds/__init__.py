"""The visible table of scheduled tasks. To add one: write its module, give it a line here and a test."""

from __future__ import annotations

from typing import Any

from automations.services.kinds import send_template, start_automation, update_contact
from automations.services.kinds.base import TaskKind
from common.registry import Registry

KINDS: Registry[TaskKind[Any]] = Registry(
    "scheduled task",
    {
        "start_automation": start_automation.KIND,
        "send_template": send_template.KIND,
        "update_contact": update_contact.KIND,
    },
)
