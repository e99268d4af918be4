"""Rejected events, sent through the door again once their cause is mended."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import msgspec
from django.db import transaction

from audience.domain import wire
from audience.models import RejectedEvent
from audience.services.ingest import accept
from common import clock, tenancy

_encode = msgspec.json.Encoder().encode


def replay(rows: Sequence[RejectedEvent]) -> int:
    """Accept these events once more, as of when they first came; returns how many can be tried.

    What was too large or unreadable was not kept whole and is left alone. An event is counted once however
    often it is replayed; one that is refused again comes back to the list as a new row.
    """
    due = [row for row in rows if row.replayed_at is None and is_replayable(row)]
    by_kind = sorted(due, key=lambda row: (row.protocol, row.received_at, row.pk))
    with transaction.atomic():
        for (protocol, received_at), group in groupby(by_kind, key=lambda row: (row.protocol, row.received_at)):
            block = list(group)
            for start in range(0, len(block), wire.MOST_EVENTS):
                events = [msgspec.Raw(_encode(row.body)) for row in block[start : start + wire.MOST_EVENTS]]
                accept(tenancy.required(), protocol, wire.pack(wire.Envelope(events)), len(events), received_at)
        _mark(due)
    return len(due)


def is_replayable(row: RejectedEvent) -> bool:
    """Whether the event was kept whole."""
    return isinstance(row.body, dict) and "unreadable" not in row.body


def _mark(rows: Sequence[RejectedEvent]) -> None:
    RejectedEvent.objects.filter(pk__in=[row.pk for row in rows]).update(replayed_at=clock.now())
