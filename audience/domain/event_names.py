"""Under which an event's name is found where people type it."""

from __future__ import annotations

import re


def key(event_name: str) -> str:
    """`Order Completed`, `order-completed` and `order_completed` are the same. Names are stored as they were sent."""
    return re.sub(r"[\s\-]+", "_", event_name.strip()).lower()
