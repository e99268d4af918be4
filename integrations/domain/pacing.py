"""How long to wait after a failure. Plain Python."""

from __future__ import annotations

import random
from datetime import datetime
from email.utils import parsedate_to_datetime

FIRST_SECONDS = 5.0
MOST_SECONDS = 3_600.0
LONGEST_ASKED_SECONDS = 24 * 3_600.0
MOST_FAILURES = 8  # in a row; five seconds, ten … make about 20 minutes until a person is asked


def wait_seconds(failures: int, asked_seconds: float | None, draw: random.Random) -> float:
    """Before the next try after `failures` in a row: what the platform asked for, or twice as long each time.

    A draw of up to half of it on top keeps many syncs from coming back at one moment.
    """
    if asked_seconds is not None:
        return min(max(asked_seconds, 0.0), LONGEST_ASKED_SECONDS) * (1 + draw.random() / 10)
    base = min(MOST_SECONDS, FIRST_SECONDS * 2.0 ** max(0, failures - 1))
    return base * (1 + draw.random() / 2)


def retry_after(text: str, now: datetime) -> float | None:
    """Seconds of a Retry-After header, which is a number or a date (RFC 9110 §10.2.3); None where it says nothing."""
    value = text.strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        return max(0.0, (parsedate_to_datetime(value) - now).total_seconds()) if value else None
    except (ValueError, TypeError, OverflowError):
        return None
