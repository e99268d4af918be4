"""The Celery application: a doorbell in front of rows that PostgreSQL keeps (docs/architecture.md)."""

import os
from typing import Any

import celery
from django.db import close_old_connections

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketing_site.settings")


class Task(celery.Task):  # type: ignore[misc]
    """Keeps the connection to the database between tasks, as a web worker does between requests.

    A new one for each would cost a fork and cold caches in the server, more than most tasks do.
    """

    def before_start(self, task_id: str, args: Any, kwargs: Any) -> None:
        close_old_connections()  # those that broke or are too old


app = celery.Celery("groundswell", task_cls=Task)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
