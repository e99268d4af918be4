"""Counts across rooms for the home page. Each is kept for a few seconds per organisation, whoever looks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast

from django.core.cache import cache
from django.db import connection
from redis import RedisError

from audience.message_events import MessageEvent, name_of, names_of
from audience.models import Contact, MessageChannel
from automations.models import AutomationRun, RunStatus
from common import clock, tenancy

Kept = TypeVar("Kept")
MAILED = name_of(MessageChannel.EMAIL, MessageEvent.SENT)
OPENED = name_of(MessageChannel.EMAIL, MessageEvent.OPENED)

# Plan: index-only on event_by_definition, one probe per kind of event, only the partitions of the window.
EVENT_COUNT_SQL = """
SELECT count(*) FROM audience_event event
WHERE event.organization_id = %(organization)s
  AND event.definition_id = ANY(ARRAY(
      SELECT id FROM audience_eventdefinition WHERE organization_id = %(organization)s))
  AND event.happened_at >= %(since)s AND event.happened_at < %(until)s
"""
# Plan: the same index, of a few kinds; contacts come from the index, too.
PEOPLE_SQL = """
SELECT definition.name, count(*), count(DISTINCT event.contact_id)
FROM audience_eventdefinition definition
JOIN audience_event event ON event.definition_id = definition.id
 AND event.organization_id = %(organization)s
 AND event.happened_at >= %(since)s AND event.happened_at < %(until)s
WHERE definition.organization_id = %(organization)s AND definition.name = ANY(%(names)s)
GROUP BY 1
"""


def kept(name: str, seconds: float, read: Callable[[], Kept]) -> Kept:
    """What `read` says, at most `seconds` old. Without Redis it is read each time."""
    key = f"home:{tenancy.required()}:{name}"
    try:
        found = cache.get(key)
        if found is None:
            found = read()
            cache.set(key, found, seconds)
    except RedisError:
        return read()
    return cast(Kept, found)


def rows(statement: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Rows of a hand-written read; binds `organization` itself."""
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(statement, parameters | {"organization": tenancy.required()})
        return list(cursor.fetchall())


def contact_count() -> int:
    return kept("contacts", 10, lambda: Contact.objects.filter(merged_into=None).count())


def event_count(span: timedelta) -> int:
    """Events that happened within the last `span`."""
    now = clock.now()
    window = {"since": now - span, "until": now + timedelta(days=1)}
    seconds = 2 if span <= timedelta(minutes=1) else 10
    return kept(f"events:{span}", seconds, lambda: int(rows(EVENT_COUNT_SQL, window)[0][0]))


def people_by_event(names: Sequence[str], since: datetime, until: datetime) -> dict[str, tuple[int, int]]:
    """Kind of event → (how many, by how many contacts) from `since` until before `until`."""
    found = rows(PEOPLE_SQL, {"names": list(names), "since": since, "until": until})
    return dict.fromkeys(names, (0, 0)) | {name: (count, people) for name, count, people in found}


def sent_count(since: datetime) -> int:
    """Messages sent from `since` on."""
    until = clock.now() + timedelta(days=1)
    names = list(names_of(MessageEvent.SENT))

    def read() -> int:
        return sum(count for count, _ in people_by_event(names, since, until).values())

    return kept("sent", 2, read)


def open_rate(days: int = 30) -> float | None:
    """Share of the people mailed in the last days who opened something; None when nobody was mailed."""

    def read() -> dict[str, tuple[int, int]]:
        now = clock.now()
        return people_by_event([MAILED, OPENED], now - timedelta(days=days), now + timedelta(days=1))

    counts = kept("opened", 30, read)
    mailed = counts[MAILED][1]
    return min(1.0, counts[OPENED][1] / mailed) if mailed else None


def active_run_count() -> int:
    """People inside an automation right now."""
    return kept("runs", 2, lambda: AutomationRun.objects.filter(status=RunStatus.RUNNING).count())
