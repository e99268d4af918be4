"""Small phrases for outlines and sentences."""

from __future__ import annotations

from datetime import timedelta


def span(length: timedelta) -> str:
    """`2 days 3 hours`."""
    seconds = int(length.total_seconds())
    parts = []
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1)):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(counted(count, unit))
    return " ".join(parts) or "no time"


def counted(count: int, noun: str) -> str:
    """`1 day`, `1,200 days`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def quoted(text: str) -> str:
    return f"“{text}”"
