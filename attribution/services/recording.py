"""What happened in the river → touchpoints, conversions, refunds; and people who turned out to be one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from django.db import connection

from attribution.models import Conversion, Credit, Refund, Touchpoint
from attribution.services import conversions, goals, touchpoints
from attribution.services.writing import writing
from audience.models import EventDefinition
from audience.notices import ContactsMerged, RecordedEvent
from common import clock, doorbell, tenancy
from common.models import WorkStatus

READ_AT_ONCE = 5000

# Plan: the primary keys of the partitions, merged; every block starts where the last ended.
READ_SQL = """
SELECT id, happened_at, definition_id FROM audience_event
WHERE organization_id = %(organization)s AND id > %(after)s ORDER BY id LIMIT %(limit)s
"""


def record_events(events: Sequence[RecordedEvent]) -> None:
    """Take note of recorded events, all at once. Idempotent: a touchpoint, conversion or refund per event."""
    if not events:
        return
    with writing():
        _record(
            [(event.event_id, event.happened_at) for event in events],
            {event.definition_id: event.name for event in events},
        )


def follow_merges(merges: Sequence[ContactsMerged]) -> None:
    """Move what merged contacts did to the contact that stayed, and credit its conversions again. Idempotent."""
    if not merges:
        return
    with writing():
        for merge in merges:  # in their order: the survivor of one may be merged by the next
            for model in (Touchpoint, Conversion, Refund):
                model._default_manager.filter(contact_id=merge.merged_id).update(contact_id=merge.survivor_id)
        survivors = {merge.survivor_id for merge in merges}
        conversions.settle_refunds(survivors)
        Conversion.objects.filter(contact_id__in=survivors).update(status=WorkStatus.PENDING, run_at=clock.now())
        doorbell.ring("credits")


def recompute() -> int:
    """Forget all that was derived from events and read them again; returns how many events were read.

    For when tags or rules of old events shall be read by new code: the result of the river is the same.
    Readers see the old figures until this commits. Offline touchpoints stay.
    """
    with writing():
        Credit.objects.all().delete()
        Conversion.objects.all().delete()
        Refund.objects.all().delete()
        Touchpoint.objects.filter(event_id__isnull=False).delete()
        names = dict(EventDefinition.objects.values_list("pk", "name"))
        read = 0
        for block, definitions in _all_events():
            _record(block, {pk: names[pk] for pk in definitions})
            read += len(block)
        doorbell.ring("credits")
    return read


def _record(events: Sequence[tuple[int, datetime]], names: dict[int, str]) -> None:
    touchpoints.record(events)
    conversions.record(goals.ensure_default_goals(), names, events)


def _all_events() -> Iterator[tuple[list[tuple[int, datetime]], set[int]]]:
    after = 0
    while True:
        with tenancy.engine(), connection.cursor() as cursor:
            cursor.execute(READ_SQL, {"organization": tenancy.required(), "after": after, "limit": READ_AT_ONCE})
            rows = cursor.fetchall()
        if not rows:
            return
        after = rows[-1][0]
        yield [(row[0], row[1]) for row in rows], {row[2] for row in rows}
