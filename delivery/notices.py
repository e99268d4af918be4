"""What this room announces."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class MessagesSettled:
    """Messages that reached an end (`sent`, `refused`, `failed`, `uncertain`), by source."""

    source_type: str
    source_id: int
    status: str
    message_ids: list[int]


@dataclass(frozen=True)
class MessageEngaged:
    """A contact opened, clicked or unsubscribed. The same fact also arrives as an event."""

    message_id: int
    contact_id: int
    kind: str
    is_machine: bool
