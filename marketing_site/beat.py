"""Beat's rows in the database: code's are kept as `schedule.SCHEDULE` says, people's are theirs.

Whose a row is, its name says: code's begin with CODE. When Beat starts it writes code's rows anew and removes those
whose job the code no longer has; it never touches a row of a person, and pages let nobody touch code's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django_celery_beat.models import PeriodicTask, PeriodicTasks
from django_celery_beat.schedulers import DatabaseScheduler, ModelEntry

CODE = "groundswell: "


class Scheduler(DatabaseScheduler):  # type: ignore[misc]
    """Beat's scheduler, with code's rows brought up to date first."""

    def setup_schedule(self) -> None:
        bring_up_to_date(self.app.conf.beat_schedule)


def of_code() -> QuerySet[PeriodicTask]:
    """Code's rows."""
    return PeriodicTask.objects.filter(name__startswith=CODE)


def is_codes(row: PeriodicTask | None) -> bool:
    return row is not None and row.name.startswith(CODE)


def bring_up_to_date(jobs: Mapping[str, Mapping[str, Any]]) -> None:
    """Write one row for each job, switched on, and remove code's rows whose job is gone.

    Raises what a job that cannot be read raises: a clock that lacks one must not start.
    """
    with transaction.atomic():
        _adopt(jobs)
        for name, job in jobs.items():
            ModelEntry.from_entry(CODE + name, enabled=True, **job)
        gone = of_code().exclude(name__in=[CODE + name for name in jobs])
        if gone.delete()[0]:
            PeriodicTasks.update_changed()


def _adopt(jobs: Mapping[str, Mapping[str, Any]]) -> None:
    """Rows that code wrote before it marked its own; once, so that a person may use the name afterwards."""
    if of_code().exists():
        return
    for name, job in jobs.items():
        PeriodicTask.objects.filter(name=name, task=job["task"]).update(name=CODE + name)
    # Celery's own, for results that nothing here keeps.
    PeriodicTask.objects.filter(Q(name="celery.backend_cleanup") & Q(task="celery.backend_cleanup")).delete()
