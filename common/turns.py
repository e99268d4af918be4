"""Taking turns: writers of one organisation that must see each other's finished work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

from common import tenancy


@contextmanager
def taking(name: str) -> Iterator[None]:
    """A transaction that waits until nobody else of this organisation is in one of the same name. Keep it short."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, %s))", [name, tenancy.required()])
        yield
