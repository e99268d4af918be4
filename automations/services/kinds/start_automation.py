"""Start contacts in a workflow."""

from __future__ import annotations

from typing import Any

import msgspec

from automations.configuration import Wrong
from automations.models import Automation
from automations.services import automations
from automations.services.kinds.base import TaskKind, check_contacts, present
from common.errors import Permanent


class Configuration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    automation_id: int
    contact_ids: list[int]


def check(configuration: Configuration, wrong: Wrong) -> None:
    if not Automation.objects.filter(pk=configuration.automation_id).exists():
        wrong("automation_id", f"there is no automation {configuration.automation_id}")
    check_contacts(configuration.contact_ids, wrong)


def execute(configuration: Configuration, key: str) -> dict[str, Any]:
    """Raises `Permanent` when the workflow is gone and `Conflict` while it is switched off."""
    automation = Automation.objects.filter(pk=configuration.automation_id).first()
    if automation is None:
        raise Permanent(f"There is no automation {configuration.automation_id} any more.")
    entered = automations.start(automation, present(configuration.contact_ids), cause=key)
    return {"entered": len(entered)}


KIND = TaskKind("Start a workflow", "Starts the named contacts in a workflow.", Configuration, execute, check)
