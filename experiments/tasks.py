"""What Beat asks of this room."""

from __future__ import annotations

from celery import shared_task

from experiments.services import deciding


@shared_task(name="experiments.decide")
def decide() -> None:
    """Let bandits follow their results, and rules name their winners."""
    deciding.decide_everywhere()
