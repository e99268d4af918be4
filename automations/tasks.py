"""What Beat asks of this room."""

from __future__ import annotations

from celery import shared_task

from automations.services import alerts, counting, purge


@shared_task(name="automations.fold_counts")
def fold_counts() -> None:
    """Keep the counts of workflows few."""
    counting.fold()


@shared_task(name="automations.watch")
def watch() -> None:
    """Open and close alerts about workflows."""
    alerts.watch_everywhere()


@shared_task(name="automations.purge_records")
def purge_records() -> None:
    """Drop step records past the span an organisation keeps them."""
    purge.purge_records()
