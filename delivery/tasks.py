"""What Beat asks of this room."""

from __future__ import annotations

from celery import shared_task

from delivery.services import counting, domains, reports


@shared_task(name="delivery.check_domains")
def check_domains() -> None:
    """Look again at the zones of all sending domains, and at whose servers new recipients use."""
    domains.run_everywhere()


@shared_task(name="delivery.purge_reports")
def purge_reports() -> None:
    """Drop requests of providers that were read."""
    reports.purge()


@shared_task(name="delivery.fold_counts")
def fold_counts() -> None:
    """Keep the counts of mails few."""
    counting.fold()
