"""What Beat asks of this room."""

from __future__ import annotations

from celery import shared_task

from segments.patterns import analyses


@shared_task(name="segments.analyse")
def analyse() -> None:
    """Have patterns and suggestions of every organisation computed again."""
    analyses.request_everywhere()
