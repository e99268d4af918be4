"""Between two flights: what became of the last one is written, what may still go is marked as handed over."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from audience import services as audience
from audience.services import InternalEvent
from common import claims, clock, tenancy
from common.errors import Invalid
from delivery.domain.outcomes import Outcome, OutcomeKind
from delivery.models import Attempt, MessageStatus
from delivery.services import holds, policy
from delivery.services.claiming import LEASE_SECONDS, Recipient, announce

logger = logging.getLogger(__name__)

MOST_ATTEMPTS = 8
RETRY_BASE_SECONDS = 30
STATUSES = {
    OutcomeKind.SENT: MessageStatus.SENT,
    OutcomeKind.RETRY: MessageStatus.QUEUED,
    OutcomeKind.UNTRIED: MessageStatus.QUEUED,
    OutcomeKind.FAILED: MessageStatus.FAILED,
    OutcomeKind.REFUSED: MessageStatus.REFUSED,
    OutcomeKind.UNCERTAIN: MessageStatus.UNCERTAIN,
}

# Rows that lost their lease meanwhile are left as the sweep decided: a late worker cannot write.
SETTLE_SQL = """
UPDATE delivery_message AS message
   SET status = result.status, reason = result.reason, attempts = result.attempts,
       run_at = coalesce(result.run_at, message.run_at), sent_at = result.sent_at,
       provider_message_id = result.answer,
       claimed_at = CASE WHEN result.status = 'queued' THEN NULL ELSE message.claimed_at END,
       handed_at = CASE WHEN result.status = 'queued' THEN NULL ELSE message.handed_at END,
       lease_token = NULL, lease_expires_at = NULL
  FROM unnest(%(ids)s::bigint[], %(statuses)s::text[], %(reasons)s::text[], %(attempts)s::int[],
              %(run_ats)s::timestamptz[], %(sent_ats)s::timestamptz[], %(answers)s::text[])
       AS result(id, status, reason, attempts, run_at, sent_at, answer)
 WHERE message.id = result.id AND message.organization_id + 0 = %(organization)s AND message.lease_token = %(token)s
RETURNING message.id, message.status, message.source_type, message.source_id
"""

# Unsubscribed, suppressed or paused since the claim: those stop here. The others are ours until the lease ends.
BEGIN_SQL = f"""
WITH standing AS MATERIALIZED ({policy.STANDING_SQL}),
verdict AS (
    SELECT id, CASE WHEN hold <> '' THEN hold WHEN refusal <> '' THEN 'refused' ELSE 'sending' END AS status,
           CASE WHEN hold <> '' THEN '' ELSE refusal END AS reason
      FROM standing)
UPDATE delivery_message AS message
   SET status = verdict.status, reason = verdict.reason,
       handed_at = CASE WHEN verdict.status = 'sending' THEN %(now)s::timestamptz END,
       claimed_at = CASE WHEN verdict.status = 'sending' THEN message.claimed_at END,
       lease_token = CASE WHEN verdict.status = 'sending' THEN message.lease_token END,
       lease_expires_at = CASE WHEN verdict.status = 'sending' THEN %(lease_expires_at)s::timestamptz END
  FROM verdict
 WHERE message.id = verdict.id AND message.organization_id + 0 = %(organization)s
   AND message.lease_token = %(token)s AND message.status = 'sending'
RETURNING message.id, message.status, message.source_type, message.source_id
"""


@dataclass(frozen=True)
class Result:
    """What became of one message, and when we knew."""

    recipient: Recipient
    outcome: Outcome
    known_at: datetime


@dataclass(frozen=True)
class _Row:
    """A result as the ledger keeps it."""

    id: int
    status: str
    reason: str
    attempts: int
    run_at: datetime | None
    sent_at: datetime | None
    answer: str


def begin(recipients: Sequence[Recipient], token: uuid.UUID) -> set[int]:
    """Mark a flight as handed over. Returns the ids that may go; from here on a crash leaves them uncertain."""
    ids = [recipient.message_id for recipient in recipients]
    now = clock.now()
    parameters = policy.standing_parameters(ids, policy.current()) | {
        "now": now,
        "lease_expires_at": now + timedelta(seconds=LEASE_SECONDS),
        "token": token,
    }
    holds.keep_as_they_are()
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(BEGIN_SQL, parameters)
        rows = cursor.fetchall()
    announce(row for row in rows if row[1] == MessageStatus.REFUSED)
    return {row[0] for row in rows if row[1] == MessageStatus.SENDING}


def settle(results: Sequence[Result], token: uuid.UUID) -> int:
    """Write outcomes, their events and notices; returns how many were still ours to write."""
    if not results:
        return 0
    rows = [_row(result) for result in results]
    settled = _write(rows, token)
    announce(row for row in settled if row[1] != MessageStatus.QUEUED)
    ours = {row[0] for row in settled}
    kept = [result for result in results if result.recipient.message_id in ours]
    _log_attempts(kept)
    _bounce(kept)
    audience.record([_sent_event(result) for result in kept if result.outcome.kind == OutcomeKind.SENT])
    return len(settled)


def _row(result: Result) -> _Row:
    outcome, recipient = result.outcome, result.recipient
    status = STATUSES[outcome.kind]
    reason = "" if outcome.kind == OutcomeKind.SENT else outcome.answer[:300]
    attempts = recipient.attempts + (outcome.kind not in (OutcomeKind.UNTRIED, OutcomeKind.REFUSED))
    run_at = None
    if outcome.kind == OutcomeKind.RETRY:
        run_at = result.known_at + claims.backoff(attempts, base_seconds=RETRY_BASE_SECONDS)
        if attempts >= MOST_ATTEMPTS:
            status, run_at, reason = MessageStatus.FAILED, None, f"Gave up after {attempts} attempts: {reason}"[:300]
    is_sent = outcome.kind == OutcomeKind.SENT
    answer = outcome.answer[:200] if is_sent else ""
    sent_at = result.known_at if is_sent else None
    return _Row(recipient.message_id, status, reason, attempts, run_at, sent_at, answer)


def _write(rows: Sequence[_Row], token: uuid.UUID) -> list[tuple[int, str, str, int]]:
    parameters: dict[str, Any] = {
        "organization": tenancy.required(),
        "token": token,
        "ids": [row.id for row in rows],
        "statuses": [str(row.status) for row in rows],
        "reasons": [_storable(row.reason) for row in rows],
        "attempts": [row.attempts for row in rows],
        "run_ats": [row.run_at for row in rows],
        "sent_ats": [row.sent_at for row in rows],
        "answers": [_storable(row.answer) for row in rows],
    }
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(SETTLE_SQL, parameters)
        written: list[tuple[int, str, str, int]] = cursor.fetchall()
    return written


def _storable(text: str) -> str:
    """A server's words may hold anything; PostgreSQL takes no NUL."""
    return text.replace("\x00", "")


def _log_attempts(results: Sequence[Result]) -> None:
    """Every try that did not simply succeed leaves its answer."""
    quiet = (OutcomeKind.SENT, OutcomeKind.UNTRIED)
    Attempt.objects.bulk_create(
        Attempt(
            message_id=result.recipient.message_id,
            happened_at=result.known_at,
            outcome=result.outcome.kind.value,
            answer=_storable(result.outcome.answer),
        )
        for result in results
        if result.outcome.kind not in quiet
    )


def _bounce(results: Sequence[Result]) -> None:
    """An address that the server says does not exist is not written to again."""
    bounced = [result for result in results if result.outcome.is_hard_bounce]
    for result in bounced:
        try:
            reason = f"hard bounce: {_storable(result.outcome.answer)}"[:100]
            audience.suppress("email", result.recipient.address, reason)
        except Invalid as error:
            # The outcomes of the whole flight are worth more than this one entry.
            logger.warning(
                "A bounced address of message %s is not suppressed: %s", result.recipient.message_id, error
            )
    audience.record([_event("email_bounced", result) for result in bounced])


def _sent_event(result: Result) -> InternalEvent:
    return _event("email_sent", result)


def _event(name: str, result: Result) -> InternalEvent:
    recipient = result.recipient
    return InternalEvent(
        contact_id=recipient.contact_id,
        name=name,
        happened_at=result.known_at,
        properties=event_properties(recipient.message_id, recipient.source_type, recipient.source_id),
        message_id=f"{name}:{recipient.message_id}",
    )


def event_properties(message_id: int, source_type: str, source_id: int) -> dict[str, object]:
    """What every e-mail event says about the message behind it."""
    properties: dict[str, object] = {"message_id": message_id}
    if source_type in ("campaign", "automation"):
        properties[f"{source_type}_id"] = source_id
    return properties
