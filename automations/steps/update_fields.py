"""Set the status or the priority of a contact."""

from __future__ import annotations

from typing import Annotated

import msgspec

from audience import services as audience
from audience.models import Priority
from automations.configuration import Wrong, says
from automations.steps.base import ALL_DONE, Group, Results, StepKind
from automations.words import quoted

LONGEST_STATUS = 40


class StatusConfiguration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    status: Annotated[str, says("Status", examples=["qualified"])]


class PriorityConfiguration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    priority: Annotated[str, says("Priority", type="choice", labels=dict(Priority.choices), examples=["high"])]


def check_status(configuration: StatusConfiguration, wrong: Wrong) -> None:
    if not configuration.status.strip() or len(configuration.status) > LONGEST_STATUS:
        wrong("status", f"must be 1 to {LONGEST_STATUS} characters")


def check_priority(configuration: PriorityConfiguration, wrong: Wrong) -> None:
    if configuration.priority not in Priority.values:
        wrong("priority", f"must be one of {', '.join(Priority.values)}")


def update_status(configuration: StatusConfiguration, group: Group) -> Results:
    """One update for the whole group."""
    audience.update_contacts(group.contact_ids, {"status": configuration.status.strip()})
    return ALL_DONE


def update_priority(configuration: PriorityConfiguration, group: Group) -> Results:
    """One update for the whole group."""
    audience.update_contacts(group.contact_ids, {"priority": configuration.priority})
    return ALL_DONE


def _status_set(configuration: StatusConfiguration) -> str:
    return f"Set the status to {quoted(configuration.status)}"


def _priority_set(configuration: PriorityConfiguration) -> str:
    return f"Set the priority to {configuration.priority}"


STATUS = StepKind(
    "Update status",
    "Sets the contact's status.",
    StatusConfiguration,
    update_status,
    _status_set,
    check_status,
    group="Contact",
)
PRIORITY = StepKind(
    "Update priority",
    "Sets the contact's priority.",
    PriorityConfiguration,
    update_priority,
    _priority_set,
    check_priority,
    group="Contact",
)
