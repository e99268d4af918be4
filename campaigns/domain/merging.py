"""Two people changed the same thing: what each changed, what stands for itself, and what somebody must decide."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

MINE, THEIRS = "mine", "theirs"


@dataclass(frozen=True)
class Difference:
    """One field: what it was when I opened it, what it is now, what I would make of it."""

    name: str
    base: Any
    theirs: Any
    mine: Any


@dataclass(frozen=True)
class Merge:
    """`kept` are fields that only they changed, `taken` those that only I changed (or both alike); `clashes` both."""

    kept: list[Difference]
    taken: list[Difference]
    clashes: list[Difference]

    def open(self, choices: Mapping[str, str]) -> list[Difference]:
        """Clashes nobody has decided yet."""
        return [clash for clash in self.clashes if choices.get(clash.name) not in (MINE, THEIRS)]

    def mine(self, choices: Mapping[str, str]) -> set[str]:
        """The fields to write: those that are mine alone, and those that were decided for me."""
        chosen = {clash.name for clash in self.clashes if choices.get(clash.name) == MINE}
        return {difference.name for difference in self.taken} | chosen


def three_way(
    base: Mapping[str, Any], theirs: Mapping[str, Any], mine: Mapping[str, Any], names: Collection[str]
) -> Merge:
    """Compare field by field; `mine` may leave fields out that it does not touch."""
    kept, taken, clashes = [], [], []
    for name in sorted(names):
        was, now = base.get(name), theirs.get(name)
        difference = Difference(name, was, now, mine.get(name, was))
        if difference.mine == was:
            if now != was:
                kept.append(difference)
        elif now in (was, difference.mine):
            taken.append(difference)
        else:
            clashes.append(difference)
    return Merge(kept, taken, clashes)
