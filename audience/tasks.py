"""What Beat asks of this room."""

from __future__ import annotations

from celery import shared_task

from audience import services
from audience.services import partitions


@shared_task(name="audience.ensure_partitions")
def ensure_partitions() -> None:
    """Make next months' partitions of the event table."""
    partitions.ensure_ahead()


@shared_task(name="audience.purge")
def purge() -> None:
    """Drop applied raw requests."""
    services.purge()
