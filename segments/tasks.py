"""What Beat asks of this room."""

from __future__ import annotations

from celery import shared_task

from segments.patterns import analyses
from segments.services import self_audit as audits


@shared_task(name="segments.analyse")
def analyse() -> None:
    """Have patterns and suggestions of every organisation computed again."""
    analyses.request_everywhere()


@shared_task(name="segments.self_audit")
def self_audit() -> None:
    """Compare stored memberships with what the rules say."""
    audits.run_everywhere()
