"""What this room announces."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class MembershipChanged:
    """Contacts that entered or left one segment at a moment. Published in blocks of at most a few thousand."""

    segment_id: int
    happened_at: datetime
    entered: list[int] = field(default_factory=list)
    left: list[int] = field(default_factory=list)
