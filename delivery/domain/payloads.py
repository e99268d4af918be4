"""What an envelope carries for channels other than e-mail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from delivery.domain.outcomes import Envelope


@dataclass(frozen=True)
class Text:
    """An SMS or a WhatsApp message. With `template_id` the provider fills in its own approved words."""

    text: str
    template_id: str = ""
    template_variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Device:
    """Where a push message goes. `keys` of a browser: p256dh and auth."""

    id: int
    kind: str
    token: str
    keys: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Push:
    """A push message to one device. `tag` is the same for every try, so that a device shows it once."""

    title: str
    body: str
    device: Device
    tag: str
    url: str = ""
    icon: str = ""
    image: str = ""


@dataclass(frozen=True)
class ToDevices:
    """One message to every device of a contact: an envelope for each."""

    parts: tuple[Envelope, ...]


@dataclass(frozen=True)
class InApp:
    contact_id: int
    placement: str
    title: str
    body: str = ""
    button: str = ""
    url: str = ""
    image: str = ""
    expires_at: datetime | None = None


@dataclass(frozen=True)
class Note:
    """A message to colleagues, in Slack's own marks."""

    text: str


@dataclass(frozen=True)
class Call:
    """A webhook. `happened_at` is when the message was queued; the same for every try."""

    type: str
    data: Any
    contact_id: int
    happened_at: datetime
