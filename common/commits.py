"""Commits that need not wait for the disk (docs/adr/0021)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

SWAP_SQL = "SELECT current_setting('synchronous_commit'), set_config('synchronous_commit', %s, false)"


@contextmanager
def unhurried() -> Iterator[None]:
    """Commits inside return before they stand on the disk. For work from rows to rows: when PostgreSQL itself dies,
    the last half second is as if it had not been done, its rows are due again, and it is done once more.

    Not for what somebody is told is kept, nor before anything leaves the house. Nothing changes inside a transaction.
    """
    if connection.in_atomic_block:
        yield
        return
    usual = _swap("off")
    try:
        yield
    finally:
        if connection.connection is not None and not connection.connection.closed:
            _swap(usual)


def _swap(word: str) -> str:
    """Set how commits wait; returns how they did."""
    with connection.cursor() as cursor:
        cursor.execute(SWAP_SQL, [word])
        return str(cursor.fetchone()[0])
