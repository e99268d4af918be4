"""One block: thousands of accepted events applied in one transaction."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from django.db import connection

from accounts.models import Organization
from audience.domain.incoming import Incoming, Rejected
from audience.notices import ContactsChanged, ContactsMerged, EventsRecorded, RecordedEvent
from audience.services.process import catalogue, counting, events, people, rejections
from audience.services.process.decoding import Batch, Refusal, decode
from common import clock, outbox, tenancy

MOST_IN_NOTICE = 5000


def apply(batches: Sequence[Batch]) -> None:
    """Everything these batches say, in the caller's transaction (as owner, with the organisation's locks held)."""
    organization_id = tenancy.required()
    currency = Organization.objects.values_list("currency", flat=True).get(pk=organization_id)
    decoded = decode(batches, currency)
    fresh = counting.only_fresh(decoded.messages)
    placed, unplaced = people.place(fresh, currency)
    counting.forget([message.message_key for message, _ in unplaced])
    refusals = [*decoded.refusals, *(_refuse(message, verdict) for message, verdict in unplaced), *placed.refusals]
    rejections.store(refusals)
    named = [(message, person.id) for message, person in placed.owners if message.name]
    definitions = catalogue.learn_events([message for message, _ in named])
    recorded = events.store(named, definitions)
    _mark_done(batches)
    _announce(placed, recorded)


def _refuse(message: Incoming, verdict: Rejected) -> Refusal:
    return Refusal(
        message.batch_id, message.protocol, verdict.code, verdict.reason, msgspec.json.decode(message.body),
        message.received_at,
    )  # fmt: skip


def _mark_done(batches: Sequence[Batch]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE audience_ingestbatch SET status = 'done', processed_at = %s, error = '' WHERE id = ANY(%s)",
            [clock.now(), [batch.id for batch in batches]],
        )


def _announce(placed: people.Placed, recorded: list[RecordedEvent]) -> None:
    notices: list[object] = []
    created, changes = placed.created, placed.changes
    merged = [ContactsMerged(loser, winner) for loser, winner in placed.merged]
    for start in range(0, max(len(created), len(changes), 1 if merged else 0), MOST_IN_NOTICE):
        part = slice(start, start + MOST_IN_NOTICE)
        notices.append(ContactsChanged(created[part], changes[part], merged if start == 0 else []))
    for start in range(0, len(recorded), MOST_IN_NOTICE):
        notices.append(EventsRecorded(recorded[start : start + MOST_IN_NOTICE]))
    if notices:
        outbox.publish(*notices)
