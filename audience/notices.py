"""What this room announces."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class RecordedEvent:
    """An event that now stands in the table, as its listeners need it."""

    event_id: int
    contact_id: int
    definition_id: int
    name: str
    happened_at: datetime


@dataclass(frozen=True)
class EventsRecorded:
    """New events, in the order they were recorded. Published in blocks of at most a few thousand."""

    events: list[RecordedEvent]


@dataclass(frozen=True)
class AttributeChange:
    """`attribute` is a standard field of Contact, `attributes.<name>` or `consent.<channel>`; values are JSON.

    Of a consent only the new word of the ledger is told (`granted`, `withdrawn`).
    """

    contact_id: int
    attribute: str
    before: Any = None
    after: Any = None


@dataclass(frozen=True)
class ConsentRequested:
    """Somebody said yes and must prove it: each request waits for a click in a mail."""

    request_ids: list[int]


@dataclass(frozen=True)
class ContactsMerged:
    merged_id: int
    survivor_id: int


@dataclass(frozen=True)
class ContactsChanged:
    """Contacts that came, changed, became one or are gone."""

    created: list[int] = field(default_factory=list)
    changes: list[AttributeChange] = field(default_factory=list)
    merged: list[ContactsMerged] = field(default_factory=list)
    deleted: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Promised:
    """A contact who shall have a reward; `key` names this very promise for ever."""

    contact_id: int
    key: str


@dataclass(frozen=True)
class RewardsPromised:
    """Contacts shall have a reward: points, or credit, coupon and cash in minor units of a currency (empty: home)."""

    promised: list[Promised]
    kind: str
    amount: int
    currency: str
    needs_approval: bool
    reason: str


@dataclass(frozen=True)
class PredictionChange:
    """What was predicted of a contact, and what is now. Nothing before: it is the first of this name."""

    contact_id: int
    before: float | None
    after: float
    band_before: str | None
    band_after: str


@dataclass(frozen=True)
class PredictionsChanged:
    """Contacts whose prediction under one name is another now: its value, its band, or that it holds at all.

    `changes` tell of those that a model wrote; moved limits and deleted predictions have none.
    """

    name: str
    contact_ids: list[int]
    changes: list[PredictionChange] = field(default_factory=list)
