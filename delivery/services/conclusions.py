"""What follows from reports of providers: for the ledger, for what came back, for addresses and for consent."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from accounts import actor, audit
from audience import services as audience
from audience.models import Consent, ConsentState, Suppression
from common import outbox, tenancy
from common.errors import Invalid
from delivery.domain import machines
from delivery.domain.reports import Finding, ReportKind, status_after
from delivery.models import Engagement, EngagementKind, Message, MessageStatus
from delivery.notices import MessageEngaged
from delivery.services import claiming, engagement
from delivery.services.telling import ONCE, engagement_event, sent_event

logger = logging.getLogger(__name__)

WHO = actor.Actor("a provider's report", "")
ENGAGEMENTS = {
    ReportKind.OPENED: EngagementKind.OPEN,
    ReportKind.CLICKED: EngagementKind.CLICK,
    ReportKind.BOUNCED: EngagementKind.BOUNCE,
    ReportKind.COMPLAINED: EngagementKind.COMPLAINT,
}
SUPPRESSED = {Finding.DEAD: "hard bounce", Finding.COMPLAINED: "complaint"}
# A change of these is a doubt resolved, which people want to read about later; the rest is a day's work.
SETTLED = (MessageStatus.SENT,)

# Plan: reports_by_message for the messages of a block, the messages themselves by primary key in their order.
KNOWN_SQL = """
SELECT message.id, message.status, told.kinds, told.first_at, told.delivered_at, told.bounced_at, told.complained_at,
       told.answer
  FROM delivery_message AS message
  JOIN LATERAL (
       SELECT array_agg(DISTINCT report.kind) AS kinds, min(report.happened_at) AS first_at,
              min(report.happened_at) FILTER (WHERE report.kind = 'delivered') AS delivered_at,
              min(report.happened_at) FILTER (WHERE report.kind = 'bounced') AS bounced_at,
              min(report.happened_at) FILTER (WHERE report.kind = 'complained') AS complained_at,
              min(report.answer) FILTER (WHERE report.kind = 'rejected') AS answer
         FROM delivery_providerreport AS report
        WHERE report.organization_id = %(organization)s AND report.message_id = message.id) AS told
    ON told.first_at IS NOT NULL
 WHERE message.organization_id + 0 = %(organization)s AND message.id = ANY(%(ids)s)
 ORDER BY message.id FOR UPDATE OF message
"""
WRITE_SQL = """
UPDATE delivery_message AS message
   SET delivered_at = known.delivered_at, bounced_at = coalesce(known.bounced_at, message.bounced_at),
       complained_at = known.complained_at,
       status = known.status,
       reason = CASE WHEN known.status = message.status THEN message.reason
                     WHEN known.status = 'failed' THEN left('The provider did not send it: ' || known.answer, 300)
                     ELSE '' END,
       sent_at = CASE WHEN known.status = 'sent' THEN coalesce(message.sent_at, message.handed_at, known.first_at)
                      ELSE message.sent_at END,
       claimed_at = CASE WHEN known.status = 'sent' THEN coalesce(message.claimed_at, known.first_at)
                         ELSE message.claimed_at END
  FROM unnest(%(ids)s::bigint[], %(statuses)s::text[], %(firsts)s::timestamptz[], %(delivered)s::timestamptz[],
              %(bounced)s::timestamptz[], %(complained)s::timestamptz[], %(answers)s::text[])
       AS known(id, status, first_at, delivered_at, bounced_at, complained_at, answer)
 WHERE message.id = known.id AND message.organization_id + 0 = %(organization)s
RETURNING message.id, message.status, message.source_type, message.source_id
"""


@dataclass(frozen=True)
class Filed:
    """A report that was new, as it stands in the table."""

    id: int
    message_id: int | None
    kind: str
    finding: str
    url: str
    user_agent: str
    answer: str
    happened_at: datetime


def draw(filed: Sequence[Filed]) -> None:
    """Everything that follows from new reports of known messages, in the caller's transaction."""
    if not filed:
        return
    ids = sorted({row.message_id for row in filed if row.message_id is not None})
    settle_by_reports(ids)
    messages = {message.pk: message for message in Message.objects.filter(pk__in=ids)}
    known = [(row, messages[row.message_id]) for row in filed if row.message_id in messages]
    _record(known)
    _suppress(known)
    for row, message in known:
        if row.finding == Finding.UNSUBSCRIBED and not _agreed_since(message, row.happened_at):
            engagement.unsubscribe(message.pk, how="unsubscribed at the provider")


def _agreed_since(message: Message, moment: datetime) -> bool:
    """Whether the contact has agreed anew since; a report may come days late."""
    entries = Consent.objects.filter(contact_id=message.contact_id, channel=message.channel, happened_at__gt=moment)
    return entries.filter(state=ConsentState.GRANTED).exists()


def settle_by_reports(message_ids: Sequence[int]) -> list[int]:
    """Let the ledger say what the reports of these messages say; returns those whose status changed.

    Messages that a worker has are left to it; call this again when it could not say what became of them.
    """
    if not message_ids:
        return []
    parameters: dict[str, Any] = {"organization": tenancy.required(), "ids": sorted(message_ids)}
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(KNOWN_SQL, parameters)
        known = cursor.fetchall()
        after = {row[0]: status_after(row[1], row[2]) for row in known}
        changed = {row[0]: row[1] for row in known if after[row[0]] != row[1]}
        doubtful = [pk for pk, before in changed.items() if before not in SETTLED]
        befores = {message.pk: audit.snapshot(message) for message in Message.objects.filter(pk__in=doubtful)}
        cursor.execute(WRITE_SQL, parameters | _columns(known, after))
        written = [row for row in cursor.fetchall() if row[0] in changed]
    claiming.announce(written)
    _tell_of(befores)
    return [row[0] for row in written]


def _columns(known: Sequence[Any], after: dict[int, str]) -> dict[str, Any]:
    return {
        "ids": [row[0] for row in known],
        "statuses": [after[row[0]] for row in known],
        "firsts": [row[3] for row in known],
        "delivered": [row[4] for row in known],
        "bounced": [row[5] for row in known],
        "complained": [row[6] for row in known],
        "answers": [row[7] or "" for row in known],
    }


def _tell_of(befores: dict[int, dict[str, Any]]) -> None:
    """A doubt was resolved: it is in the audit log, and what was sent after all is an event."""
    sent: list[Message] = []
    with actor.acting(WHO):
        for message in Message.objects.filter(pk__in=befores).order_by("pk"):
            audit.record("resolve", message, before=befores[message.pk], after=audit.snapshot(message))
            if message.status == MessageStatus.SENT:
                sent.append(message)
    audience.record([sent_event(message) for message in sent])


def _record(known: Sequence[tuple[Filed, Message]]) -> None:
    """Opens, clicks, bounces and complaints, where the ledger of what came back lacks them."""
    wanted = [(row, message, ENGAGEMENTS[ReportKind(row.kind)]) for row, message in known if row.kind in ENGAGEMENTS]
    once = {(message.pk, kind) for _, message, kind in wanted if kind in ONCE}
    there = set(
        Engagement.objects.filter(message_id__in={pk for pk, _ in once}, kind__in=ONCE).values_list(
            "message_id", "kind"
        )
    )
    made: list[tuple[Engagement, Message]] = []
    for row, message, kind in sorted(wanted, key=lambda entry: (entry[0].happened_at, entry[0].id)):
        if kind in ONCE and (message.pk, kind) in there:
            continue
        there.add((message.pk, kind))
        made.append((_engagement(row, message, kind), message))
    rows = Engagement.objects.bulk_create(row for row, _ in made)
    _announce(list(zip(rows, (message for _, message in made), strict=True)))


def _engagement(row: Filed, message: Message, kind: EngagementKind) -> Engagement:
    seen = machines.Seen(kind, row.happened_at, row.user_agent, row.url)
    signal = "" if kind in ONCE else machines.judge([seen], message.sent_at, has_pictures=message.has_pictures)[0]
    return Engagement(
        message=message,
        kind=kind,
        url=row.url,
        user_agent=row.user_agent,
        is_machine=bool(signal),
        signal=signal,
        happened_at=row.happened_at,
    )


def _announce(made: Sequence[tuple[Engagement, Message]]) -> None:
    human = [(row, message) for row, message in made if not row.is_machine]
    engagement.mark_first([row for row, _ in human])
    audience.record([engagement_event(message, row) for row, message in human])
    outbox.publish(
        *(MessageEngaged(message.pk, message.contact_id, row.kind, row.is_machine) for row, message in made)
    )


def _suppress(known: Sequence[tuple[Filed, Message]]) -> None:
    """Dead addresses, and those of people who complained, are not written to again."""
    wanted: dict[tuple[str, str], str] = {}
    for row, message in known:
        if row.finding in SUPPRESSED and message.address:
            reason = SUPPRESSED[Finding(row.finding)]
            wanted.setdefault((message.channel, message.address), f"{reason}: {row.answer}".strip(": ")[:100])
    addresses = {address for _, address in wanted}
    there = set(Suppression.objects.filter(address__in=addresses).values_list("channel", "address"))
    with actor.acting(WHO):
        for (channel, address), reason in wanted.items():
            if (channel, address) in there:
                continue
            try:
                audience.suppress(channel, address, reason)
            except Invalid as error:
                logger.warning("An address that a provider reported is not suppressed: %s", error)
