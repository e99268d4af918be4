"""Ways of a step that the marketer names: what their lists have in common."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol

from automations.configuration import Wrong

MOST = 20
# A name is a key of `branches`, so nothing that a place in an error message is made of.
NAME = re.compile(r"[^.\[\]/]{1,20}")


class Way(Protocol):
    """One of several ways, with the name of its branch."""

    @property
    def name(self) -> str: ...


def check(ways: Sequence[Way], wrong: Wrong, *, least: int, taken: Sequence[str] = ()) -> None:
    """Report names that cannot be, or that are there twice, and too few or too many ways."""
    if not least <= len(ways) <= MOST:
        wrong("ways", f"needs {least} to {MOST} ways")
    seen = set(taken)
    for index, way in enumerate(ways[:MOST]):
        if not NAME.fullmatch(way.name) or way.name != way.name.strip():
            wrong(f"ways[{index}].name", "must be 1 to 20 characters without . / [ and ]")
        elif way.name in seen:
            wrong(f"ways[{index}].name", f"“{way.name}” names two ways")
        seen.add(way.name)


def names(ways: Sequence[Way], last: Sequence[str] = ()) -> list[str] | None:
    """The branches that follow from the ways; None while a name is there twice."""
    found = [*(way.name for way in ways), *last]
    return found if len(found) == len(set(found)) else None
