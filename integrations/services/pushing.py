"""WORK `audience_pushes`: tell platforms what changed, in batches, removals first.

A sync is worked by whoever holds its lease. Before a request the identifiers are written down and the rows marked as
being told, so that after a crash between any two lines the same is told again (which does no harm) and whatever may
be there can still be taken away.
"""

from __future__ import annotations

import json
import logging
import random
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection, transaction

from accounts import audit
from audience.models import Contact
from common import clock, doorbell, tenancy
from common.errors import AppError, Transient
from integrations.domain.pacing import MOST_FAILURES, wait_seconds
from integrations.models import AudienceSync, Change, Push, SyncedContact, SyncStatus
from integrations.providers import PROVIDERS
from integrations.providers.contract import ID, Account, Provider, Record, Unreachable
from integrations.services import destinations, planning

logger = logging.getLogger(__name__)

LEASE_SECONDS = 600
COMPARED_AGAIN = timedelta(hours=1)
WORKED = ("active", "ending")
HAS_WORK = """status IN ('active', 'ending') AND run_at <= %s
  AND (lease_expires_at IS NULL OR lease_expires_at < %s)
  AND (planned_at IS NULL OR planned_at < %s OR status = 'ending' OR EXISTS (
    SELECT 1 FROM integrations_syncedcontact row
    WHERE row.sync_id = integrations_audiencesync.id AND row.status IN ('pending', 'claimed')))"""
CLAIM_SQL = f"""
UPDATE integrations_audiencesync SET lease_token = %s, lease_expires_at = %s WHERE id IN (
  SELECT id FROM integrations_audiencesync WHERE organization_id = %s AND {HAS_WORK}
  ORDER BY run_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id"""
# Plan: the primary keys of one batch.
MARK_SQL = """
UPDATE integrations_syncedcontact row SET status = 'claimed', may_be_there = true, identifiers = told.identifiers
FROM unnest(%(ids)s::bigint[], %(identifiers)s::jsonb[]) AS told(id, identifiers)
WHERE row.id = told.id AND row.organization_id = %(organization)s"""
REFUSE_SQL = """
UPDATE integrations_syncedcontact row SET status = 'failed', error = told.error
FROM unnest(%(ids)s::bigint[], %(errors)s::text[]) AS told(id, error)
WHERE row.id = told.id AND row.organization_id = %(organization)s"""
NO_IDENTIFIER = "Neither its e-mail address nor its phone number is one this platform could recognise."
_draw = random.SystemRandom()


class LeaseLost(Exception):
    """Somebody else works this sync now: what came of our request is not written."""


@dataclass
class Lease:
    """A sync that is ours for a while."""

    sync: AudienceSync
    token: uuid.UUID

    def hold(self, **changes: Any) -> None:
        """Write to the sync and keep the lease. Raises `LeaseLost`."""
        until = clock.now() + timedelta(seconds=LEASE_SECONDS)
        held = AudienceSync.objects.filter(pk=self.sync.pk, lease_token=self.token)
        if not held.update(lease_expires_at=until, **changes):
            raise LeaseLost

    def release(self, **changes: Any) -> None:
        held = AudienceSync.objects.filter(pk=self.sync.pk, lease_token=self.token)
        held.update(lease_token=None, lease_expires_at=None, **changes)


@dataclass(frozen=True)
class Batch:
    change: Change
    rows: Sequence[SyncedContact]
    records: Sequence[Record]


def organizations_due() -> list[int]:
    now = clock.now()
    return doorbell.organizations_with("integrations_audiencesync", HAS_WORK, [now, now, now - COMPARED_AGAIN])


def work(organization_id: int) -> int:
    """Tell everything that is due; returns how many records were told."""
    told = 0
    with tenancy.organization(organization_id):
        while lease := _claim():
            try:
                told += _work(lease)
            except LeaseLost:
                logger.warning("The lease of sync %s went to another worker.", lease.sync.pk)
    return told


def _claim() -> Lease | None:
    now, token = clock.now(), uuid.uuid4()
    with transaction.atomic(), connection.cursor() as cursor:
        values: list[Any] = [
            token,
            now + timedelta(seconds=LEASE_SECONDS),
            tenancy.required(),
            now,
            now,
            now - COMPARED_AGAIN,
        ]
        cursor.execute(CLAIM_SQL, values)
        row = cursor.fetchone()
        if row is None:
            return None
        # What a worker left that is gone: tell it again.
        SyncedContact.objects.filter(sync=row[0], status="claimed").update(status="pending")
    return Lease(AudienceSync.objects.select_related("destination", "segment").get(pk=row[0]), token)


def _work(lease: Lease) -> int:
    told, sync = 0, lease.sync
    try:
        if sync.planned_at is None or sync.planned_at < clock.now() - COMPARED_AGAIN or _is_ending(sync):
            planning.plan(sync.pk)
        provider = PROVIDERS[sync.destination.kind]
        account = destinations.account_of(sync.destination)
        while batch := _next(lease, provider):
            _ensure_audience(lease, provider, account)
            told += _tell(lease, provider, account, batch)
            sync.refresh_from_db()
            if sync.status not in WORKED:
                break
    except AppError as problem:
        _fail(lease, problem)
        return told
    if not _is_ending(sync):
        lease.release()
    elif sync.contacts.exists():
        _ask_again(lease)
    else:
        _finish(lease)
    return told


def _is_ending(sync: AudienceSync) -> bool:
    return sync.status == SyncStatus.ENDING


def _next(lease: Lease, provider: Provider) -> Batch | None:
    """The next rows to tell, marked as being told; rows nobody could recognise are settled on the way."""
    while True:
        rows = _pending(lease.sync, provider.most_records)
        if not rows:
            return None
        change = Change(rows[0].change)
        known = {row.pk: row.identifiers for row in rows}
        if change is Change.ADD:
            known = _fresh(rows, provider)
        usable = [row for row in rows if known.get(row.pk)]
        unusable = [row.pk for row in rows if not known.get(row.pk)]
        with transaction.atomic():
            lease.hold()
            _settle_unusable(unusable, change)
            _mark({row.pk: known[row.pk] for row in usable})
        if usable:
            return Batch(change, usable, [Record(known[row.pk]) for row in usable])


def _pending(sync: AudienceSync, most: int) -> list[SyncedContact]:
    """Removals first: who withdrew waits for nobody. Plan: changes_to_push."""
    for change in (Change.REMOVE, Change.ADD):
        rows = SyncedContact.objects.filter(sync=sync, status="pending", change=change)
        if found := list(rows.order_by("pk")[:most]):
            return found
    return []


def _fresh(rows: Sequence[SyncedContact], provider: Provider) -> dict[int, dict[str, str]]:
    """What the platform is told of each contact now."""
    people = Contact.objects.filter(pk__in=[row.contact_id for row in rows]).values_list("pk", "email", "phone")
    raw = {pk: {"email": email, "phone": phone, ID: str(pk)} for pk, email, phone in people}
    return {row.pk: provider.identifiers(raw.get(row.contact_id or 0, {})) for row in rows}


def _settle_unusable(ids: Sequence[int], change: Change) -> None:
    rows = SyncedContact.objects.filter(pk__in=ids)
    if change is Change.REMOVE:
        rows.delete()
    else:
        rows.update(status="failed", error=NO_IDENTIFIER)


def _mark(told: Mapping[int, Mapping[str, str]]) -> None:
    documents = [json.dumps(dict(each)) for each in told.values()]
    with tenancy.engine(), connection.cursor() as cursor:
        values: dict[str, Any] = {
            "ids": list(told), "identifiers": documents, "organization": tenancy.required(),
        }  # fmt: skip
        cursor.execute(MARK_SQL, values)


def _ensure_audience(lease: Lease, provider: Provider, account: Account) -> None:
    """Make the audience with the first push, and remember it before anything else happens."""
    sync = lease.sync
    if sync.audience_id:
        return
    try:
        audience_id = provider.make_audience(account, sync.audience_name)
    except Unreachable as problem:
        if problem.was_sent:
            sentence = (
                f"{provider.label} did not answer when it was asked to make the audience. If “{sync.audience_name}” "
                "is there, enter its id; then resume."
            )
            raise AppError(sentence, code="audience_uncertain") from problem
        raise
    lease.hold(audience_id=audience_id[:200])
    sync.audience_id = audience_id[:200]


def _tell(lease: Lease, provider: Provider, account: Account, batch: Batch) -> int:
    """One push and what came of it, in the log either way."""
    started = time.monotonic()
    try:
        refused = provider.push(
            account, lease.sync.audience_id, batch.records, is_removal=batch.change is Change.REMOVE
        )
    except AppError as problem:
        with transaction.atomic():
            lease.hold()
            _log(lease.sync, batch, started, error=problem.message)
            _release_rows(batch)
        raise
    with transaction.atomic():
        lease.hold(failures=0, pushed_at=clock.now(), reason="")
        _settle(batch, refused)
        _log(lease.sync, batch, started, refused=len(refused))
        planning.plan(lease.sync.pk, [row.contact_id for row in batch.rows if row.contact_id is not None])
    return len(batch.rows)


def _settle(batch: Batch, refused: Mapping[int, str]) -> None:
    failed = {batch.rows[place].pk: reason for place, reason in refused.items() if place < len(batch.rows)}
    done = SyncedContact.objects.filter(pk__in=[row.pk for row in batch.rows if row.pk not in failed])
    if batch.change is Change.REMOVE:
        done.delete()
    else:
        done.update(status="done", error="", pushed_at=clock.now())
    with tenancy.engine(), connection.cursor() as cursor:
        values: dict[str, Any] = {
            "ids": list(failed), "errors": [reason[:300] for reason in failed.values()],
            "organization": tenancy.required(),
        }  # fmt: skip
        cursor.execute(REFUSE_SQL, values)


def _release_rows(batch: Batch) -> None:
    SyncedContact.objects.filter(pk__in=[row.pk for row in batch.rows], status="claimed").update(status="pending")


def _log(sync: AudienceSync, batch: Batch, started: float, *, refused: int = 0, error: str = "") -> None:
    Push.objects.create(
        sync=sync, change=batch.change, record_count=len(batch.rows), refused_count=refused, error=error,
        status="failed" if error else "done", seconds=round(time.monotonic() - started, 3),
    )  # fmt: skip


def _fail(lease: Lease, problem: AppError) -> None:
    """Wait and try again, or ask a person: when the account is refused, or after too many failures in a row."""
    sync = lease.sync
    failures = sync.failures + 1
    if isinstance(problem, Transient) and failures < MOST_FAILURES:
        seconds = wait_seconds(failures, problem.retry_after_seconds, _draw)
        run_at = clock.now() + timedelta(seconds=seconds)
        lease.release(failures=failures, run_at=run_at, reason=problem.message[:300])
        return
    SyncedContact.objects.filter(sync=sync, status="claimed").update(status="pending")
    often = f" ({failures} times in a row)" if isinstance(problem, Transient) else ""
    with transaction.atomic(), audit.changing(sync):
        sync.status, sync.reason, sync.failures = SyncStatus.PAUSED, f"{problem.message}{often}"[:300], failures
        sync.lease_token = sync.lease_expires_at = None
        held = AudienceSync.objects.filter(pk=sync.pk, lease_token=lease.token)
        held.update(
            status=sync.status, reason=sync.reason, failures=failures, lease_token=None, lease_expires_at=None
        )


def _ask_again(lease: Lease) -> None:
    """Some could not be taken away: try those again in a while."""
    left = SyncedContact.objects.filter(sync=lease.sync).update(status="pending")
    reason = f"{left:,} could not be taken away yet; asked again every hour."
    lease.release(run_at=clock.now() + COMPARED_AGAIN, reason=reason)


def _finish(lease: Lease) -> None:
    """Everybody was taken away: the sync is over."""
    with transaction.atomic():
        lease.hold()
        audit.deleted(lease.sync)
        lease.sync.delete()
