"""A button of a page that asks once before it does something."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Act(Generic[T]):
    """What the button says, what the page asks first, what is said afterwards (`{name}` is the row's)."""

    label: str
    question: str
    said: str
    run: Callable[[T, dict[str, Any]], T]
    style: str = "quiet"
