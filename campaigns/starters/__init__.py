"""Ready templates to begin with: one JSON file each, in the order in which they are offered.

To add one: its file here, its name in `ORDER`; the test reads every one of them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

ORDER = ("welcome", "newsletter", "product-news", "cart-reminder", "win-back", "receipt")
HERE = Path(__file__).parent


@dataclass(frozen=True)
class Starter:
    """A mail that is ready but for its links. `blocks` is the tree as the editor keeps it."""

    key: str
    name: str
    note: str
    kind: str
    subject: str
    preheader: str
    defaults: dict[str, Any]
    blocks: dict[str, Any]


@cache
def offered() -> tuple[Starter, ...]:
    """Every ready template."""
    return tuple(Starter(key, **json.loads((HERE / f"{key}.json").read_text("utf-8"))) for key in ORDER)


def find(key: str) -> Starter | None:
    """The ready template of this name."""
    return next((starter for starter in offered() if starter.key == key), None)
