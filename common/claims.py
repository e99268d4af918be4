"""Claims with leases and fencing: at most one worker holds a row, and a late one cannot write.

For work that reaches outside the database (mail, HTTP). Work that stays inside is claimed by its own
transaction with `FOR UPDATE SKIP LOCKED` (common.outbox shows how).
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from django.db import connection, models
from psycopg import sql

from common import clock, tenancy
from common.errors import Conflict

Row = TypeVar("Row", bound=models.Model)


@dataclass(frozen=True)
class Lifecycle:
    """The status words of a worked table: what waits, what is being worked."""

    waiting: str = "pending"
    working: str = "claimed"
    # False where a lapsed lease may not be worked again by itself (a message may have left the house).
    reclaim_expired: bool = True


DEFAULT_LIFECYCLE = Lifecycle()


def claim(
    model: type[Row], *, limit: int, lease_seconds: int, lifecycle: Lifecycle = DEFAULT_LIFECYCLE
) -> tuple[uuid.UUID, list[Row]]:
    """Claim up to `limit` due rows of the current organisation, oldest `run_at` first.

    Returns the lease token and the rows. Plan: index on (organization_id, status, run_at) + SKIP LOCKED.
    """
    token = uuid.uuid4()
    now = clock.now()
    expired = "OR (status = %(working)s AND lease_expires_at < %(now)s)" if lifecycle.reclaim_expired else ""
    statement = sql.SQL(
        f"""UPDATE {{table}} SET status = %(working)s, attempts = attempts + 1,
                   lease_token = %(token)s, lease_expires_at = %(expires)s
            WHERE id IN (SELECT id FROM {{table}}
                         WHERE organization_id = %(organization)s
                           AND ((status = %(waiting)s AND run_at <= %(now)s) {expired})
                         ORDER BY run_at, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
            RETURNING id"""
    ).format(table=sql.Identifier(model._meta.db_table))
    parameters: dict[str, Any] = {
        "working": lifecycle.working,
        "waiting": lifecycle.waiting,
        "token": token,
        "now": now,
        "expires": now + timedelta(seconds=lease_seconds),
        "organization": tenancy.required(),
        "limit": limit,
    }
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        ids = [row[0] for row in cursor.fetchall()]
    rows = model._default_manager.filter(pk__in=ids).order_by("run_at", "pk") if ids else []
    return token, list(rows)


def extend(model: type[models.Model], ids: Sequence[int], token: uuid.UUID, lease_seconds: int) -> int:
    """Hold claimed rows longer; returns how many are still ours."""
    expires = clock.now() + timedelta(seconds=lease_seconds)
    return model._default_manager.filter(pk__in=ids, lease_token=token).update(lease_expires_at=expires)


def settle(model: type[models.Model], ids: Sequence[int], token: uuid.UUID, **changes: Any) -> None:
    """Write the outcome of claimed rows and give the lease back.

    Raises `Conflict` (and so rolls the caller's transaction back) when the lease was lost meanwhile.
    """
    written = model._default_manager.filter(pk__in=ids, lease_token=token).update(
        lease_token=None, lease_expires_at=None, **changes
    )
    if written != len(ids):
        raise Conflict(
            f"{len(ids) - written} of {len(ids)} claimed rows of {model._meta.db_table} went to another worker.",
            code="lease_lost",
        )


def backoff(attempts: int, *, base_seconds: int = 5, most_seconds: int = 3600) -> timedelta:
    """How long to wait after the n-th failed attempt: 5 s, 10 s, 20 s … one hour."""
    return timedelta(seconds=min(most_seconds, base_seconds * 2 ** max(0, attempts - 1)))
