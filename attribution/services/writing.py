"""One writer per organisation: recording, merging and crediting take turns."""

from __future__ import annotations

from contextlib import AbstractContextManager

from common import turns


def writing() -> AbstractContextManager[None]:
    """A transaction in which nobody else writes touchpoints, conversions or credits of this organisation.

    So a touchpoint that is being written is either seen by the crediting or marks its conversion again, and a
    merge never misses a row that is on its way. Blocks are short.
    """
    return turns.taking("attribution")
