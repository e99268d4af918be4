"""What a pattern answers: a group of people with its rule, or why there is none."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import Any

SAFE = re.compile(r"[\w .,&+=-]+")


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
    """A key that stays the same while the value does: at most 80 characters, all of them fit for an address."""
    plain = f"{kind}-{value}"
    if len(plain) <= 80 and SAFE.fullmatch(plain):
        return plain
    return f"{kind[:40]}-{hashlib.sha256(value.encode()).hexdigest()[:32]}"


def percent(share: float) -> str:
    """`0.254` → `25 %`."""
    return f"{100 * float(share):.0f} %"


def times(ratio: float) -> str:
    """`2.196` → `2.2`; below two a digit more, for near one it matters."""
    if ratio >= 2:
        return f"{ratio:.1f}"
    return f"{ratio:.2f}" if ratio >= 0.005 else "less than 0.01"
