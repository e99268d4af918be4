"""Between two flights: what became of the last one is written, what may still go is marked as handed over."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from django.db import connection, transaction

from audience import services as audience
from audience.message_events import MessageEvent
from common import claims, clock, tenancy
from common.errors import Invalid
from delivery.domain.outcomes import Outcome, OutcomeKind
from delivery.models import Attempt, DeliveryPolicy, MessageStatus
from delivery.services import holds, policy, telling
from delivery.services.claiming import Block, Recipient, announce, lease_end

logger = logging.getLogger(__name__)

MOST_ATTEMPTS = 8
RETRY_BASE_SECONDS = 30
LONGEST_WAIT_SECONDS = 24 * 3600  # however long a provider asks us to wait
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
       provider_message_id = result.answer, parts = result.parts,
       account_id = coalesce(result.account_id, message.account_id),
       claimed_at = CASE WHEN result.status = 'queued' THEN NULL ELSE message.claimed_at END,
       handed_at = CASE WHEN result.status NOT IN ('queued', 'refused') THEN result.known_at END,
       lease_token = NULL
  FROM json_to_recordset(%(rows)s::json)
       AS result(id bigint, status text, reason text, attempts int, run_at timestamptz, sent_at timestamptz,
                 answer text, known_at timestamptz, account_id bigint, parts int)
 WHERE message.id = result.id AND message.organization_id + 0 = %(organization)s AND message.lease_token = %(token)s
RETURNING message.id, message.status, message.source_type, message.source_id
"""

# Plan: the claim by its token.
FLY_SQL = """
UPDATE delivery_claim
   SET flying_ids = %(ids)s, flown_at = %(now)s, account_id = %(account)s, lease_expires_at = %(lease_expires_at)s
 WHERE token = %(token)s AND organization_id + 0 = %(organization)s
"""

# Unsubscribed, suppressed or paused (by the contact or at the source) since the claim: those stop here. The others
# may go, and are not written to.
BEGIN_SQL = f"""
WITH standing AS MATERIALIZED ({policy.STANDING_SQL}),
stopped AS (
    UPDATE delivery_message AS message
       SET status = CASE WHEN standing.hold <> '' THEN standing.hold
                         WHEN standing.refusal <> '' THEN 'refused' ELSE 'queued' END,
           reason = CASE WHEN standing.hold <> '' THEN ''
                         WHEN standing.refusal <> '' THEN standing.refusal ELSE %(PAUSED)s END,
           run_at = CASE WHEN standing.hold = '' AND standing.refusal = '' THEN standing.paused_until
                         ELSE message.run_at END,
           claimed_at = NULL, lease_token = NULL
      FROM standing
     WHERE message.id = standing.id AND message.organization_id + 0 = %(organization)s
       AND (standing.hold <> '' OR standing.refusal <> '' OR standing.paused_until IS NOT NULL)
    RETURNING message.id, message.status, message.source_type, message.source_id)
SELECT standing.id, coalesce(stopped.status, 'sending'), stopped.source_type, stopped.source_id
  FROM standing LEFT JOIN stopped USING (id)
"""


Written = tuple[int, str, str, int]  # id, status, source type, source id


class Result(msgspec.Struct, frozen=True):
    """What became of one message, and when we knew. `account_id`: to whom it was handed, where that has a row;
    `parts`: how many messages that counted."""

    recipient: Recipient
    outcome: Outcome
    known_at: datetime
    account_id: int | None = None
    parts: int = 1


class _Row(msgspec.Struct, frozen=True):
    """A result as the ledger keeps it."""

    id: int
    status: str
    reason: str
    attempts: int
    run_at: datetime | None
    sent_at: datetime | None
    answer: str
    known_at: datetime
    account_id: int | None
    parts: int


def turn(
    results: Sequence[Result], upcoming: Sequence[Recipient], block: Block, account_id: int | None = None
) -> set[int] | None:
    """Record one flight and mark the next as handed over, to this account. Returns the ids that may go.

    From here on a crash leaves them uncertain. None when the claim has ended meanwhile: nothing was written, and
    nothing may go.
    """
    with transaction.atomic(savepoint=False):
        with tenancy.engine():
            if not _fly([each.message_id for each in upcoming], block.token, account_id):
                return None
            begun = _begin(upcoming, block.limits) if upcoming else []
            settled = _write([_row(result) for result in results], block.token) if results else []
        announce(row for row in begun if row[1] == MessageStatus.REFUSED)
        _tell(results, settled)
    return {row[0] for row in begun if row[1] == MessageStatus.SENDING}


def _fly(ids: Sequence[int], token: uuid.UUID, account_id: int | None) -> bool:
    """Write down which messages may leave the house now; False when the claim is no longer ours."""
    parameters: dict[str, Any] = {
        "organization": tenancy.required(),
        "token": token,
        "ids": list(ids),
        "account": account_id,
        "now": clock.now(),
        "lease_expires_at": lease_end(),
    }
    with connection.cursor() as cursor:
        cursor.execute(FLY_SQL, parameters)
        return bool(cursor.rowcount)


def _begin(recipients: Sequence[Recipient], limits: DeliveryPolicy) -> list[Written]:
    holds.keep_as_they_are()
    with connection.cursor() as cursor:
        ids = [each.message_id for each in recipients]
        cursor.execute(BEGIN_SQL, policy.standing_parameters(ids, limits, clock.now()))
        rows: list[Written] = cursor.fetchall()
    return rows


def _tell(results: Sequence[Result], settled: Sequence[Written]) -> None:
    """What outcomes mean to others: notices, events, the log of attempts, the suppression list."""
    announce(row for row in settled if row[1] != MessageStatus.QUEUED)
    ours = {row[0] for row in settled}
    kept = [result for result in results if result.recipient.message_id in ours]
    _log_attempts(kept)
    _bounce(kept)
    audience.record(
        [
            telling.happening(result.recipient, MessageEvent.SENT, result.known_at)
            for result in kept
            if result.outcome.kind == OutcomeKind.SENT
        ]
    )


def _row(result: Result) -> _Row:
    outcome, recipient = result.outcome, result.recipient
    status = STATUSES[outcome.kind]
    reason = "" if outcome.kind == OutcomeKind.SENT else outcome.answer[:300]
    attempts = recipient.attempts + (outcome.kind not in (OutcomeKind.UNTRIED, OutcomeKind.REFUSED))
    run_at = None
    asked = timedelta(seconds=min(outcome.retry_after_seconds or 0, LONGEST_WAIT_SECONDS))
    if outcome.kind == OutcomeKind.UNTRIED and asked:
        run_at = result.known_at + asked
    if outcome.kind == OutcomeKind.RETRY:
        run_at = result.known_at + max(asked, claims.backoff(attempts, base_seconds=RETRY_BASE_SECONDS))
        if attempts >= MOST_ATTEMPTS:
            status = MessageStatus.UNCERTAIN if outcome.is_doubtful else MessageStatus.FAILED
            run_at, reason = None, f"Gave up after {attempts} attempts: {reason}"[:300]
    is_sent = outcome.kind == OutcomeKind.SENT
    answer = outcome.answer[:200] if is_sent else ""
    sent_at = result.known_at if is_sent else None
    return _Row(
        recipient.message_id, str(status), _storable(reason), attempts, run_at, sent_at, _storable(answer),
        result.known_at, result.account_id, result.parts,
    )  # fmt: skip


def _write(rows: Sequence[_Row], token: uuid.UUID) -> list[Written]:
    written_down = msgspec.json.encode(rows).decode()
    parameters: dict[str, Any] = {"organization": tenancy.required(), "token": token, "rows": written_down}
    with connection.cursor() as cursor:
        cursor.execute(SETTLE_SQL, parameters)
        written: list[Written] = cursor.fetchall()
    return written


def _storable(text: str) -> str:
    """A server's words may hold anything; PostgreSQL takes no NUL."""
    return text.replace("\x00", "")


def _log_attempts(results: Sequence[Result]) -> None:
    """Every try that did not simply succeed leaves its answer; of several devices each one."""
    quiet = (OutcomeKind.SENT, OutcomeKind.UNTRIED)
    Attempt.objects.bulk_create(
        Attempt(
            message_id=result.recipient.message_id,
            happened_at=result.known_at,
            outcome=outcome.kind.value,
            answer=_storable(outcome.answer),
            device=f"device {device_id}" if device_id else "",
        )
        for result in results
        for device_id, outcome in result.outcome.parts or ((0, result.outcome),)
        if device_id or outcome.kind not in quiet
    )


def _bounce(results: Sequence[Result]) -> None:
    """An address that the server says does not exist is not written to again; a dead device is forgotten."""
    audience.forget_devices(
        [device_id for result in results for device_id, outcome in result.outcome.parts if outcome.is_hard_bounce]
    )
    bounced = [result for result in results if result.outcome.is_hard_bounce]
    for result in bounced:
        try:
            reason = f"hard bounce: {_storable(result.outcome.answer)}"[:100]
            audience.suppress(result.recipient.channel, result.recipient.address, reason)
        except Invalid as error:
            # The outcomes of the whole flight are worth more than this one entry.
            logger.warning(
                "A bounced address of message %s is not suppressed: %s", result.recipient.message_id, error
            )
    audience.record(
        [telling.happening(result.recipient, MessageEvent.BOUNCED, result.known_at) for result in bounced]
    )
