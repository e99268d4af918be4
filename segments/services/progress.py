"""How far a build has come, and stopping one.

A build is one transaction, so nobody else sees what it writes: how far it has come is kept in Redis, and is only
shown. The process that builds holds an advisory lock under the segment's id; that is how it is found and stopped.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from datetime import datetime

import redis
from django.db import connection

from common import clock, doorbell, tenancy

logger = logging.getLogger(__name__)

KEEP_SECONDS = 3600
EVALUATING, WRITING = "evaluating", "writing"

LOCK_SQL = "hashtextextended('segments.build', %s)"
# Plan: pg_locks is a list in memory. An advisory lock's key stands in two halves.
INTERRUPT_SQL = f"""
SELECT pg_cancel_backend(lock.pid) FROM pg_locks lock
WHERE lock.locktype = 'advisory' AND lock.granted AND lock.objsubid = 1 AND lock.pid <> pg_backend_pid()
  AND lock.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND (lock.classid::bigint << 32 | lock.objid::bigint) = {LOCK_SQL}"""


@dataclass(frozen=True)
class Progress:
    """Where a build stands: the step, since when it runs, and how long the last one took."""

    step: str
    seconds: float
    usual_seconds: float | None

    @property
    def share(self) -> float | None:
        """0 to 0.95 by the time the last build took; None when there was none."""
        if not self.usual_seconds:
            return None
        return min(0.95, self.seconds / self.usual_seconds)


def note(segment_id: int, step: str, began_at: datetime) -> None:
    """Remember the step of a build; `clear` ends it."""
    try:
        doorbell.client().set(
            _key(segment_id), json.dumps({"step": step, "began_at": began_at.isoformat()}), ex=KEEP_SECONDS
        )
    except redis.RedisError as error:
        logger.warning("The progress of segment %s cannot be shown: %s", segment_id, error)


def clear(segment_id: int) -> None:
    try:
        doorbell.client().delete(_key(segment_id))
    except redis.RedisError as error:
        logger.warning("The progress of segment %s cannot be taken down: %s", segment_id, error)


def of(segment_id: int, usual_seconds: float | None) -> Progress | None:
    """The build that runs now; None while the segment waits for its turn, or when nobody knows."""
    try:
        said = doorbell.client().get(_key(segment_id))
    except redis.RedisError as error:
        logger.warning("The progress of segment %s is not known: %s", segment_id, error)
        return None
    if not isinstance(said, bytes):
        return None
    noted = json.loads(said)
    seconds = (clock.now() - datetime.fromisoformat(noted["began_at"])).total_seconds()
    return Progress(noted["step"], max(0.0, seconds), usual_seconds)


def interrupt(segment_id: int) -> bool:
    """Stop the statement of whoever builds this segment now; whether somebody did."""
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(INTERRUPT_SQL, [segment_id])
        return any(row[0] for row in cursor.fetchall())


def _key(segment_id: int) -> str:
    return f"segments:build:{segment_id}"
