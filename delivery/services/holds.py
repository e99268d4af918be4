"""Pausing and sending at once: who reads a source's hold and writes by it keeps it from changing meanwhile.

Without this a message could be born held, or put on hold, just after its source was released, and wait for ever.
"""

from __future__ import annotations

from django.db import connection

from common import tenancy


def keep_as_they_are() -> None:
    """Until the transaction ends nobody of the organisation holds, releases or cancels a source."""
    _lock("pg_advisory_xact_lock_shared")


def change_alone() -> None:
    """Wait for transactions that go by the holds of the organisation, and keep new ones out until this one ends."""
    _lock("pg_advisory_xact_lock")


def _lock(function: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(hashtextextended('delivery.holds', %s))", [tenancy.required()])
