"""What this room announces."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TimeZoneChanged:
    """The organisation lives by another clock: days begin at another moment for all who have no zone of their own."""

    timezone: str
