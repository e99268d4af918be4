"""What Beat asks of this room."""

from __future__ import annotations

from celery import shared_task

from automations.services import counting


@shared_task(name="automations.fold_counts")
def fold_counts() -> None:
    """Keep the counts of workflows few."""
    counting.fold()
