"""Failures that are nobody's fault: the batch is taken back and begun again."""

from __future__ import annotations

from django.db import connection
from psycopg.errors import DeadlockDetected, SerializationFailure


def is_clash(error: BaseException) -> bool:
    """Whether two transactions wanted the same rows in another order."""
    return isinstance(error.__cause__, DeadlockDetected | SerializationFailure)


def ends_batch(error: BaseException) -> bool:
    """Whether nothing more can be done in this transaction: it clashed, or the connection is gone."""
    return is_clash(error) or connection.connection is None or connection.connection.closed
