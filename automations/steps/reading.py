"""What a step that goes by rules read of each contact, kept in its record: the inspector tells it years later."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from segments import selectors as segments

# In `StepRun.detail`.
FACTS = "facts"


def kept(rules: Sequence[Any], contact_ids: Collection[int]) -> dict[int, dict[str, Any]]:
    """Contact → what to keep in the detail of its record; nothing for rules that read no fields."""
    return {contact_id: {FACTS: read} for contact_id, read in segments.values_read(rules, contact_ids).items()}
