"""One line of the answer to "why (not) sent": what was looked at, what was found, and where it can be seen."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from django.urls import reverse
from django.utils import timezone

GOOD, STOP, WAIT, FACT = "good", "stop", "wait", "fact"


@dataclass(frozen=True)
class Link:
    """Where something can be seen, inside the admin."""

    label: str
    address: str


@dataclass(frozen=True)
class Step:
    """`state`: good (lets it go), stop, wait, fact (decides nothing)."""

    name: str
    title: str
    state: str
    sentence: str
    links: list[Link] = field(default_factory=list)


def when(moment: datetime) -> str:
    """A moment in the organisation's zone, which is the current one."""
    return f"{timezone.localtime(moment):%-d %b %Y, %H:%M %Z}"


def row(model: str, pk: int, label: str) -> Link:
    return Link(label, reverse(f"admin:{model}_change", args=[pk]))
