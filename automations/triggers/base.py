"""What a kind of trigger is: which happenings start it, told in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import msgspec

from automations.configuration import Wrong
from automations.triggers.clock import Clock

C = TypeVar("C", bound=msgspec.Struct)


@dataclass(frozen=True)
class Happening:
    """Something that may start workflows for one contact.

    `key` is what automations listen to (`event:signup`), `cause` names this very happening for ever, so that
    it starts a workflow once however often it is told.
    """

    key: str
    contact_id: int
    cause: str
    facts: dict[str, Any] = field(default_factory=dict)


def always(configuration: Any, happening: Happening) -> bool:
    """For kinds whose key says everything."""
    return True


def nothing_wrong(configuration: Any, wrong: Wrong) -> None:
    """For kinds whose configuration names nothing that must exist."""


def no_filters(configuration: Any) -> list[dict[str, Any]]:
    """For kinds that ask nothing of an event's properties but what stands in `where`, if anything does."""
    return list(getattr(configuration, "where", None) or [])


@dataclass(frozen=True)
class TriggerKind(Generic[C]):
    """One kind of trigger. `admits` decides in memory for one happening; the segment rule in
    `trigger_configuration.filter` is asked afterwards, for all contacts at once."""

    label: str
    doc: str
    configuration: type[C]
    key: Callable[[C], str]
    sentence: Callable[[C], str]
    admits: Callable[[C, Happening], bool] = always
    check: Callable[[C, Wrong], None] = nothing_wrong
    # Where it stands in the toolbox.
    group: str = ""
    # For kinds on events: the property filters that follow from the configuration.
    where: Callable[[C], list[dict[str, Any]]] = no_filters
    # For kinds that the clock starts instead of something that happens.
    clock: Clock | None = None
