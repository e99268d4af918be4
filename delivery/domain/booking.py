"""When waiting mails get their turn: places in a queue over days and minutes, never more than the plan allows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

# A day's amount goes out over these hours from the day's start (or from now), so that no minute is a burst.
SPREAD_HOURS = 8


def pace(per_day: int) -> int:
    """Mails a minute at most for so many a day."""
    return max(1, -(-per_day // (SPREAD_HOURS * 60)))


@dataclass(frozen=True)
class Opening:
    """A stretch of time in which `places` mails may go, `per_minute` of them each minute; 0: all at its start."""

    starts_at: datetime
    places: int
    per_minute: int


@dataclass(frozen=True)
class Stretch:
    """Places `first`…`last` (counted from 0, `last` left out) of the queue begin at `starts_at`."""

    first: int
    last: int
    starts_at: datetime
    seconds_each: float


def book(openings: Sequence[Opening], waiting: int) -> list[Stretch]:
    """Seat `waiting` mails in the openings, in order; who finds no place waits for the last opening's end."""
    stretches: list[Stretch] = []
    seated = 0
    for opening in openings:
        if seated >= waiting:
            return stretches
        here = min(opening.places, waiting - seated)
        if here > 0:
            stretches.append(Stretch(seated, seated + here, opening.starts_at, _seconds(opening)))
            seated += here
    if seated < waiting and openings:
        # Nobody is seated beyond the horizon: they are seated anew when it is reached.
        stretches.append(Stretch(seated, waiting, openings[-1].starts_at + timedelta(days=1), 0.0))
    return stretches


def _seconds(opening: Opening) -> float:
    return 60 / opening.per_minute if opening.per_minute else 0.0
