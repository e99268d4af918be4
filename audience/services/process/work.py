"""Claiming batches, block by block, and keeping a poisoned one from stopping the others."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from django.db import InterfaceError, OperationalError, connection, transaction

from audience.models import IngestBatch
from audience.services.process import block
from audience.services.process.decoding import Batch
from common import claims, clock, doorbell, tenancy
from common.models import WorkStatus

logger = logging.getLogger(__name__)

BLOCK_EVENTS = 5000
BLOCK_BYTES = 16 * 1024 * 1024
MOST_ATTEMPTS = 3

# Locks are taken inside the statement that comes next: a round trip less for each.
PROCESSOR_LOCK = "(SELECT pg_try_advisory_xact_lock(hashtextextended('audience.process', %s)))"
IDENTITY_LOCK = "(SELECT pg_advisory_xact_lock(hashtextextended('audience.identity', %s)))"
# Index pending_batches, in the order received; sizes first, so that no more bodies are read than one block takes.
# Nothing where another worker holds the lock. What came between the statement's beginning and the lock is found by
# MORE_SQL.
DUE_SQL = f"""
SELECT id, event_count, octet_length(body) FROM audience_ingestbatch
 WHERE {PROCESSOR_LOCK} AND organization_id = %s AND status = 'pending' AND run_at <= %s ORDER BY id LIMIT 1000
"""
MORE_SQL = """
SELECT EXISTS (SELECT 1 FROM audience_ingestbatch WHERE organization_id = %s AND status = 'pending' AND run_at <= %s)
"""
CLAIM_SQL = f"""
SELECT id, protocol, body, received_at FROM audience_ingestbatch
 WHERE {IDENTITY_LOCK} IS NOT NULL AND organization_id = %s AND id = ANY(%s) AND status = 'pending'
 ORDER BY id FOR UPDATE SKIP LOCKED
"""


def process(organization_id: int) -> int:
    """Apply what was accepted for one organisation; returns how many requests were worked.

    Goes on until nothing is left or the turn is over; returns at once when another worker does it already.
    """
    worked = 0
    with tenancy.organization(organization_id):
        while True:
            done = _process_block()
            worked += done
            if done == 0 or not _is_more_due() or doorbell.turn_is_over():
                return worked


def _is_more_due() -> bool:
    """Asked after the block's end: who came meanwhile, found the lock taken and went away relies on it."""
    with connection.cursor() as cursor:
        cursor.execute(MORE_SQL, [tenancy.required(), clock.now()])
        return bool(cursor.fetchone()[0])


def _process_block() -> int:
    claimed: list[Batch] = []
    try:
        with tenancy.engine(), transaction.atomic():
            claimed = _claim(_due())
            if claimed:
                block.apply(claimed)
    except (InterfaceError, OperationalError):
        raise  # the database is away or two transactions met: nothing was written, the sweep comes back
    except Exception as error:
        if not claimed:
            raise
        logger.warning("A block of %s batches failed (%s); each is tried alone.", len(claimed), error)
        for batch in claimed:
            _process_alone(batch.id)
    return len(claimed)


def _process_alone(batch_id: int) -> None:
    try:
        with tenancy.engine(), transaction.atomic():
            claimed = _claim([batch_id]) if _processor_lock() else []
            if claimed:
                block.apply(claimed)
    except (InterfaceError, OperationalError):
        raise
    except Exception as error:
        logger.exception("Batch %s cannot be processed.", batch_id)
        _note_failure(batch_id, error)


def _note_failure(batch_id: int, error: Exception) -> None:
    with transaction.atomic():
        batch = IngestBatch.objects.select_for_update().get(pk=batch_id)
        batch.attempts += 1
        batch.status = WorkStatus.FAILED if batch.attempts >= MOST_ATTEMPTS else WorkStatus.PENDING
        batch.run_at = clock.now() + claims.backoff(batch.attempts)
        batch.error = f"{type(error).__name__}: {error}".replace("\x00", "␀")[:2000]
        batch.save(update_fields=["attempts", "status", "run_at", "error"])


def _processor_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {PROCESSOR_LOCK}", [tenancy.required()])
        return bool(cursor.fetchone()[0])


def identity_lock() -> None:
    """Wait to be the only one who gives names to contacts of this organisation, until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {IDENTITY_LOCK}", [tenancy.required()])


def _due() -> list[int]:
    ids: list[int] = []
    events = size = 0
    with connection.cursor() as cursor:
        cursor.execute(DUE_SQL, [tenancy.required(), tenancy.required(), clock.now()])
        for batch_id, event_count, length in cursor.fetchall():
            if ids and (events + event_count > BLOCK_EVENTS or size + length > BLOCK_BYTES):
                break
            ids.append(batch_id)
            events, size = events + event_count, size + length
    return ids


def _claim(ids: Sequence[int]) -> list[Batch]:
    """Hold these batches, as the only one who gives names to contacts meanwhile."""
    if not ids:
        return []
    with connection.cursor() as cursor:
        cursor.execute(CLAIM_SQL, [tenancy.required(), tenancy.required(), list(ids)])
        return [Batch(row[0], row[1], bytes(row[2]), row[3]) for row in cursor.fetchall()]
