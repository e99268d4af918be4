"""What a pattern answers: a group of people with its rule, or why there is none."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Found:
    """`reason` says in words where the threshold comes from. Without a rule, `size` says how many they are."""

    key: str
    group: str
    title: str
    reason: str
    rule: dict[str, Any] | None
    evidence: dict[str, Any] = field(default_factory=dict)
    size: int = 0


@dataclass(frozen=True)
class Missing:
    """Too little data, or nothing that stands out: `reason` has the numbers."""

    key: str
    group: str
    title: str
    reason: str


Outcome = Found | Missing


def key_of(kind: str, value: str) -> str:
    """A key that stays the same while the value does, of at most 80 characters."""
    plain = f"{kind}-{value}"
    return plain if len(plain) <= 80 else f"{kind}-{hashlib.sha256(value.encode()).hexdigest()[:32]}"


def percent(share: float) -> str:
    """`0.254` → `25 %`."""
    return f"{100 * float(share):.0f} %"
