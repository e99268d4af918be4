"""One writer per organisation: recording, merging and crediting take turns."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

from common import tenancy

LOCK = "attribution"


@contextmanager
def writing() -> Iterator[None]:
    """A transaction in which nobody else writes touchpoints, conversions or credits of this organisation.

    So a touchpoint that is being written is either seen by the crediting or marks its conversion again, and a
    merge never misses a row that is on its way. Blocks are short.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, %s))", [LOCK, tenancy.required()])
        yield
