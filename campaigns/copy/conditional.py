"""One subject that speaks to each reader where they stand: a condition by segment for every state. Pure.

Which segment means which state is said by whoever asks; a mail is written with the memberships of its reader, so the
tone is right at the moment of sending.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from campaigns.copy.writing import shown_length

LONGEST = 300  # characters of a subject with its conditions
# Whoever stands in several is met by the first.
ORDER = ("complained", "just_bought", "new", "at_risk", "quiet", "engaged")


@dataclass(frozen=True)
class Branch:
    state: str
    segment: int
    text: str


def written(branches: Sequence[Branch], otherwise: str) -> tuple[str, list[Branch]]:
    """The subject and the branches that fit into it, in the order in which they are asked; empty when none does."""
    held: list[Branch] = []
    text = ""
    for branch in sorted(branches, key=lambda each: ORDER.index(each.state)):
        longer = _joined([*held, branch], otherwise)
        if len(longer) <= LONGEST:
            held, text = [*held, branch], longer
    return text, held


def _joined(branches: Sequence[Branch], otherwise: str) -> str:
    parts = [
        f"{{% {'elif' if place else 'if'} {branch.segment} in contact.segments %}}{branch.text}"
        for place, branch in enumerate(branches)
    ]
    return "".join([*parts, f"{{% else %}}{otherwise}{{% endif %}}"])


def longest(branches: Sequence[Branch], otherwise: str) -> int:
    """Letters of the longest of its wordings."""
    return max(shown_length(text) for text in (*(branch.text for branch in branches), otherwise))
