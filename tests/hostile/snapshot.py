"""What stands in every table of our own: so that "nothing was written" can be said of all of them at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connection, transaction
from psycopg.pq import TransactionStatus

from common import tenancy

# Changed by the mere fact that somebody asks.
LEFT_OUT = {"accounts_apikey", "accounts_user"}


def tables() -> list[str]:
    """Tables of every model of our rooms, those without a Django migration too."""
    models = [model for room in settings.ROOMS for model in apps.get_app_config(room).get_models()]
    return sorted({model._meta.db_table for model in models} - LEFT_OUT)


def take() -> dict[str, tuple[int, int]]:
    """Table → number of rows and a checksum of all of them, of every organisation."""
    checksum = "SELECT '{0}', count(*), coalesce(sum(hashtextextended(row::text, 0)), 0) FROM {0} AS row"
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(checksum.format(table) for table in tables()))
        return {name: (count, int(digest)) for name, count, digest in cursor.fetchall()}


@contextmanager
def unchanged() -> Iterator[None]:
    """Fails when the block wrote, changed or removed a row anywhere."""
    before = take()
    yield
    after = take()
    assert after == before, f"changed: {', '.join(name for name in after if after[name] != before[name])}"


def as_request(call: Callable[[], Any]) -> Any:
    """Run a request inside a test's transaction as it runs outside of one: a failed statement ends with it."""
    savepoint = transaction.savepoint()
    answer = call()
    assert connection.connection is not None
    if connection.connection.info.transaction_status == TransactionStatus.INERROR:
        transaction.savepoint_rollback(savepoint)
        connection.needs_rollback = False
    else:
        transaction.savepoint_commit(savepoint)
    return answer
