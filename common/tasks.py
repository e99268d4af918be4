"""Celery carries the doorbell: which work, for which organisation."""

from __future__ import annotations

from celery import shared_task

from common import doorbell, housekeeping


@shared_task(name="common.work")
def work(name: str, organization_id: int) -> None:
    """Answer one ring."""
    doorbell.answer(name, organization_id)


@shared_task(name="common.sweep")
def sweep() -> None:
    """Find what a lost doorbell left behind."""
    doorbell.sweep()


@shared_task(name="common.purge")
def purge() -> None:
    """Drop what the work no longer needs."""
    housekeeping.purge()
