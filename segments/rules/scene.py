"""What explains a condition: the contact and the moment, what it has, what it did. Read by hooks (`evidence`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from audience.models import Contact
from segments.rules.catalogue import CUSTOM
from segments.rules.operands import column_of
from segments.rules.tree import PropertyFilter, Within

LONGEST_SHOWN = 200


@dataclass(frozen=True)
class Happened:
    """An event that a condition may count. `is_inside` its window; None: it has none."""

    event_id: int
    name: str
    happened_at: datetime
    properties: Mapping[str, Any]
    is_inside: bool | None = None

    @property
    def facts(self) -> list[tuple[str, str]]:
        """Its properties in a reader's words; what is nested is only counted."""
        return [(name, _fact(value)) for name, value in self.properties.items() if name != "message_id"]


@dataclass(frozen=True)
class Evidence:
    """`text` is a sentence; `value` what the contact has (None: nothing); `events` the latest, newest first.

    `total` is how many matching events there are up to now, `inside` how many of them lie in the window.
    """

    text: str
    value: Any = None
    events: tuple[Happened, ...] = ()
    total: int | None = None
    inside: int | None = None


@dataclass(frozen=True)
class Source:
    """Which events a condition reads, and its window."""

    event: str
    definition_id: int
    where: tuple[PropertyFilter, ...]
    within: Within = None


@dataclass(frozen=True)
class Found:
    """The events of a source: how many, how many in the window, and the latest."""

    total: int = 0
    inside: int = 0
    latest: tuple[Happened, ...] = ()


@dataclass
class Scene:
    """What hooks may look at: the contact, the moment, and the events of every source."""

    contact: Contact
    now: datetime
    events: dict[Source, Found] = field(default_factory=dict)


def value_of(contact: Contact, name: str) -> Any:
    """The value of a field as rules name it."""
    if name.startswith(CUSTOM):
        return contact.attributes.get(name.removeprefix(CUSTOM))
    return getattr(contact, column_of(name))


def shown(value: Any) -> str:
    """A value as people read it, cut to a readable length."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float | Decimal):
        return f"{value:,.6f}".rstrip("0").rstrip(".")
    if isinstance(value, datetime):
        return f"{value:%-d %b %Y %H:%M} UTC"
    if isinstance(value, list):
        return ", ".join(shown(item) for item in value[:20])[:LONGEST_SHOWN]
    text = str(value)
    return f"“{text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 1] + '…'}”"


def _fact(value: Any) -> str:
    if isinstance(value, list | dict):
        return f"{len(value)} {'item' if len(value) == 1 else 'items'}"
    return "–" if value is None else shown(value)


def sentence_case(text: str) -> str:
    return text[:1].upper() + text[1:]
