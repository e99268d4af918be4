"""What a trigger heard, as columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from common.later import later

if TYPE_CHECKING:
    import numpy as np

    from common.moments import Ids, Moments, Truths
else:
    np = later("numpy")


@dataclass(frozen=True)
class Candidates:
    """What was heard, by contact and moment: `contact`, `at` and `key`, each of one length.

    Of one contact those with equal keys are one thing to workflows that people may be in several times at once.
    `late_count` of them arrived so late that the live trigger would not have taken them; `note` says what of the
    past is missing here.
    """

    contact: Ids
    at: Moments
    key: Ids
    late_count: int = 0
    note: str = ""

    def __len__(self) -> int:
        return len(self.contact)

    def part(self, places: slice | Truths) -> Candidates:
        """Some of them."""
        return Candidates(self.contact[places], self.at[places], self.key[places])


@dataclass(frozen=True)
class Unreplayable(Exception):
    """A trigger whose past is not kept; the sentence says why and what to do instead."""

    sentence: str


def listed(contacts: Any, at: Any, note: str = "") -> Candidates:
    """From moments in any order, without keys."""
    contact, moment = np.asarray(contacts, dtype=np.int64), np.asarray(at, dtype=np.int64)
    order = np.lexsort((moment, contact))
    return Candidates(contact[order], moment[order], np.zeros_like(contact), note=note)


def nobody() -> Candidates:
    return listed([], [])
