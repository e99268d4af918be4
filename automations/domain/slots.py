"""Spans of time counted in slots of a quarter of an octave: few enough to keep for ever, fine enough for a median."""

from __future__ import annotations

from collections.abc import Mapping

PER_OCTAVE = 4


def seconds_of(slot: float) -> float:
    """Where a slot begins: `slot` is floor(4 · log2(1 + seconds)), as the database counts it."""
    return float(2 ** (slot / PER_OCTAVE)) - 1


def median(times: Mapping[int, int]) -> float | None:
    """The median of spans counted by slot, in seconds, right to within ten percent; None of nothing."""
    total = sum(count for count in times.values() if count > 0)
    if not total:
        return None
    seen = 0
    for slot in sorted(times):
        seen += max(0, times[slot])
        if seen * 2 >= total:
            return seconds_of(slot + 0.5) if slot else 0.0
    return None
