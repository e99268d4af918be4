"""What a kind of scheduled task is: how it is configured, and what it does when its time has come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec

from audience.models import Contact
from automations.configuration import Wrong

C = TypeVar("C", bound=msgspec.Struct)
MOST_CONTACTS = 1000


@dataclass(frozen=True)
class TaskKind(Generic[C]):
    """`execute(configuration, key)` works in the task's transaction, off the network; `key` names this turn for
    ever. What it returns is kept as the task's result."""

    label: str
    doc: str
    configuration: type[C]
    execute: Callable[[C, str], dict[str, Any]]
    check: Callable[[C, Wrong], None]


def check_contacts(contact_ids: list[int], wrong: Wrong) -> None:
    """Report contacts that are not there."""
    if not 1 <= len(contact_ids) <= MOST_CONTACTS:
        wrong("contact_ids", f"name 1 to {MOST_CONTACTS:,} contacts")
        return
    known = set(Contact.objects.filter(pk__in=contact_ids).values_list("pk", flat=True))
    for index, contact_id in enumerate(contact_ids):
        if contact_id not in known:
            wrong(f"contact_ids[{index}]", f"there is no contact {contact_id}")


def present(contact_ids: list[int]) -> list[int]:
    """Those who are still there by the time the task runs; a merged contact by its survivor."""
    rows = Contact.objects.filter(pk__in=contact_ids).values_list("pk", "merged_into_id")
    return sorted({merged_into or pk for pk, merged_into in rows})
