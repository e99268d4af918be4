"""What Beat asks of this room."""

from __future__ import annotations

from celery import shared_task

from campaigns.auto import cleanup as clean_up
from campaigns.auto import cycles
from campaigns.copy import learning
from campaigns.services import habits, outcomes


@shared_task(name="campaigns.count_outcomes")
def count_outcomes() -> None:
    """Count again what came of campaigns, for forecasts to learn from."""
    outcomes.count_everywhere()


@shared_task(name="campaigns.analyse")
def analyse() -> None:
    """Have recent transactions of every organisation looked at for campaigns."""
    cycles.request_everywhere()


@shared_task(name="campaigns.clean_up")
def cleanup() -> None:
    """End what is over and put away what is old, everywhere."""
    clean_up.run_everywhere()


@shared_task(name="campaigns.learn_habits")
def learn_habits() -> None:
    """Have it ready when people read, for campaigns that go out at best times."""
    habits.refresh_everywhere()


@shared_task(name="campaigns.learn_copy")
def learn_copy() -> None:
    """Have the copy assistant learn from every organisation's own tests of subjects."""
    learning.learn_everywhere()
