"""What Beat asks of this room."""

from __future__ import annotations

from celery import shared_task

from campaigns.services import outcomes


@shared_task(name="campaigns.count_outcomes")
def count_outcomes() -> None:
    """Count again what came of campaigns, for forecasts to learn from."""
    outcomes.count_everywhere()
