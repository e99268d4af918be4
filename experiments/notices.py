"""What this room announces."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ExperimentDecided:
    """An experiment stopped. `winner_id` is the arm that everybody gets from now on, None where none was named."""

    experiment_id: int
    winner_id: int | None
    source_type: str
    source_id: int
    reason: str
