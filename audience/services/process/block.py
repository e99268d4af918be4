"""One block: thousands of accepted events applied in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from django.db import connection

from accounts.models import Organization
from audience.domain import internal
from audience.domain.incoming import Incoming, Rejected
from audience.models import Protocol
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
    _announce(placed, _by_depth((message for message, _ in named), recorded))


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


def _announce(placed: people.Placed, events_by_depth: dict[int, list[RecordedEvent]]) -> None:
    """Who changed and what came from outside in one statement; what our own doings caused, at its depth."""
    notices: list[object] = []
    created, changes = placed.created, placed.changes
    merged = [ContactsMerged(loser, winner) for loser, winner in placed.merged]
    for start in range(0, max(len(created), len(changes), 1 if merged else 0), MOST_IN_NOTICE):
        part = slice(start, start + MOST_IN_NOTICE)
        notices.append(ContactsChanged(created[part], changes[part], merged if start == 0 else []))
    outbox.publish(*notices, *_in_notices(events_by_depth.pop(0, [])))
    for depth, recorded in sorted(events_by_depth.items()):
        with outbox.caused_at(depth):
            outbox.publish(*_in_notices(recorded))


def _in_notices(recorded: Sequence[RecordedEvent]) -> list[EventsRecorded]:
    starts = range(0, len(recorded), MOST_IN_NOTICE)
    return [EventsRecorded(list(recorded[start : start + MOST_IN_NOTICE])) for start in starts]


def _by_depth(messages: Iterable[Incoming], recorded: Sequence[RecordedEvent]) -> dict[int, list[RecordedEvent]]:
    """Nobody outside says how deep an event stands."""
    found: dict[int, list[RecordedEvent]] = {}
    for message, event in zip(messages, recorded, strict=True):
        told = message.context.get(internal.DEPTH) if message.protocol == Protocol.INTERNAL else 0
        found.setdefault(told if isinstance(told, int) else 0, []).append(event)
    return found
