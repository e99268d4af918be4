"""Opens and clicks: one row per request, judged and counted in sets a moment later.

The moment is for the judgement: a scanner that follows every link of a mail is known by that, and the first of its
clicks looks like anybody's. Whoever follows a link is sent on at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.conf import settings
from django.db import connection, transaction

from audience import services as audience
from common import clock, doorbell, outbox, tenancy
from delivery.domain import machines
from delivery.domain.machines import CLICK, TRAP, Seen
from delivery.links import IN_TEXT
from delivery.models import Engagement, EngagementKind, Message, Visit
from delivery.notices import MessageEngaged
from delivery.services.engagement import mark_first
from delivery.services.telling import engagement_event

WORK = "visits"
BLOCK = 1_000
MOST_KEPT = 200  # engagements per message and kind; a link shared in public is not a person's story
NEAR = timedelta(minutes=1)  # as far as visits tell about each other
KINDS = (EngagementKind.OPEN, EngagementKind.CLICK)
Row = TypeVar("Row", Visit, Engagement)

# Local settings end with the statement's own transaction: one round trip for all of it. A reader does not wait for
# the disk (ADR 19): what the database wrote a moment before it crashed itself may be missing.
ACCEPT_SQL = """
SELECT set_config('app.organization_id', %(organization)s, true), set_config('synchronous_commit', 'off', true);
INSERT INTO delivery_visit (organization_id, kind, message_id, url, place, user_agent, is_probe, is_browserlike,
                            happened_at)
VALUES (%(organization)s::bigint, %(kind)s, %(message)s, %(url)s, %(place)s, %(user_agent)s, %(is_probe)s,
        %(is_browserlike)s, %(now)s)
"""

# Plan: visits_by_time from its start.
TAKE_SQL = """
DELETE FROM delivery_visit
 WHERE id IN (SELECT id FROM delivery_visit
               WHERE organization_id = %(organization)s AND happened_at <= %(until)s
               ORDER BY happened_at, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
RETURNING id, kind, message_id, url, place, user_agent, is_probe, is_browserlike, happened_at
"""

# When a later visit shows that earlier ones were a machine's. Plan: engagement_by_message, some rows each.
AGAIN_SQL = """
UPDATE delivery_message AS message SET opened_at = human.opened_at, clicked_at = human.clicked_at
  FROM (SELECT asked.id, min(row.happened_at) AS opened_at,
               min(row.happened_at) FILTER (WHERE row.kind = 'click') AS clicked_at
          FROM unnest(%(ids)s::bigint[]) AS asked(id)
          LEFT JOIN delivery_engagement AS row
                 ON row.organization_id = %(organization)s AND row.message_id = asked.id
                AND row.kind IN ('open', 'click') AND NOT row.is_machine
         GROUP BY asked.id) AS human
 WHERE message.id = human.id AND message.organization_id + 0 = %(organization)s
"""


@dataclass(frozen=True)
class Caller:
    """What a request tells about who makes it; `is_browserlike` is None where nothing can be told (no TLS)."""

    user_agent: str = ""
    is_probe: bool = False
    is_browserlike: bool | None = None


@dataclass(frozen=True)
class Judged:
    """A visit of a known message, and its signal: empty for a person's."""

    visit: Visit
    signal: str


def accept(
    organization_id: int, kind: str, message_id: int, caller: Caller, url: str = "", place: int = IN_TEXT
) -> None:
    """Keep one visit and ring for a worker."""
    parameters: dict[str, Any] = {
        "organization": str(organization_id), "kind": kind, "message": message_id, "url": url,
        "place": place,
        "user_agent": caller.user_agent[:300].replace("\x00", ""), "is_probe": caller.is_probe,
        "is_browserlike": caller.is_browserlike, "now": clock.now(),
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(ACCEPT_SQL, parameters)
    doorbell.ring(WORK, organization_id)


def organizations_due() -> list[int]:
    return doorbell.organizations_with("delivery_visit", "happened_at <= %s", [_ripe()])


def work(organization_id: int) -> int:
    """Judge and count what came in; returns how many visits."""
    total = 0
    with tenancy.organization(organization_id):
        while count := _take_block():
            total += count
            if doorbell.turn_is_over():
                break
        if Visit.objects.exists():
            doorbell.ring(WORK)
    return total


def _ripe() -> datetime:
    return clock.now() - timedelta(seconds=settings.VISIT_PATIENCE_SECONDS)


def _take_block() -> int:
    with transaction.atomic():
        visits = _taken()
        if visits:
            _count(visits)
    return len(visits)


def _taken() -> list[Visit]:
    parameters: dict[str, Any] = {"organization": tenancy.required(), "until": _ripe(), "limit": BLOCK}
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(TAKE_SQL, parameters)
        names = [column.name for column in cursor.description]
        rows = [Visit(**dict(zip(names, row, strict=True))) for row in cursor.fetchall()]
    return sorted(rows, key=lambda visit: (visit.happened_at, visit.pk))


def _count(visits: Sequence[Visit]) -> None:
    messages = Message.objects.in_bulk({visit.message_id for visit in visits})
    by_message = _by_message(visit for visit in visits if visit.message_id in messages)
    earlier = _earlier(by_message)
    waiting = _by_message(Visit.objects.filter(message_id__in=list(by_message)))
    judged: list[Judged] = []
    revised: dict[int, str] = {}
    for message_id, own in by_message.items():
        known = earlier.get(message_id, [])
        company = [*own, *waiting.get(message_id, [])]
        message = messages[message_id]
        signals = machines.judge(
            [*map(_seen, company), *map(_seen_again, known)], message.sent_at, has_pictures=message.has_pictures
        )
        judged += [Judged(visit, signal) for visit, signal in zip(own, signals, strict=False)]
        for row, signal in zip(known, signals[len(company) :], strict=True):
            if signal and not row.is_machine:
                revised[row.pk] = signal
    _revise(revised, earlier)
    _keep(_bounded(judged), messages)


def _earlier(by_message: Mapping[int, Sequence[Visit]]) -> dict[int, list[Engagement]]:
    """What is on record of these messages around these visits, simulated rows apart."""
    moments = [visit.happened_at for own in by_message.values() for visit in own]
    if not moments:
        return {}
    rows = Engagement.objects.filter(
        message_id__in=list(by_message), kind__in=KINDS, is_simulated=False,
        happened_at__range=(min(moments) - NEAR, max(moments) + NEAR),
    )  # fmt: skip
    return _by_message(rows)


def _by_message(rows: Iterable[Row]) -> dict[int, list[Row]]:
    found: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        found[row.message_id].append(row)
    return found


def _seen(visit: Visit) -> Seen:
    return Seen(visit.kind, visit.happened_at, visit.user_agent, visit.url, visit.is_probe, visit.is_browserlike)


def _seen_again(row: Engagement) -> Seen:
    """A visit that was judged already; what it was judged by stays judged."""
    kind = TRAP if row.signal == "trap" and not row.url else row.kind
    return Seen(kind, row.happened_at, row.user_agent, row.url, is_probe=row.signal == "probe")


def _bounded(judged: Sequence[Judged]) -> list[Judged]:
    """Not more than MOST_KEPT of a kind for one message."""
    counts = _counts({each.visit.message_id for each in judged})
    kept = []
    for each in judged:
        key = (each.visit.message_id, _kind(each.visit))
        counts[key] = counts.get(key, 0) + 1
        if counts[key] <= MOST_KEPT:
            kept.append(each)
    return kept


# Plan: engagement_by_message.
COUNTS_SQL = """
SELECT message_id, kind, count(*) FROM delivery_engagement
 WHERE organization_id = %(organization)s AND message_id = ANY(%(ids)s) AND kind IN ('open', 'click') GROUP BY 1, 2
"""


def _counts(message_ids: Iterable[int]) -> dict[tuple[int, str], int]:
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(COUNTS_SQL, {"organization": tenancy.required(), "ids": list(message_ids)})
        return {(message_id, kind): count for message_id, kind, count in cursor.fetchall()}


def _kind(visit: Visit) -> str:
    return CLICK if visit.kind == TRAP else visit.kind


def _keep(judged: Sequence[Judged], messages: Mapping[int, Message]) -> None:
    """Engagement, first times, events and notices."""
    rows = Engagement.objects.bulk_create(
        Engagement(
            message_id=each.visit.message_id,
            kind=_kind(each.visit),
            url=each.visit.url,
            place=each.visit.place,
            is_machine=bool(each.signal),
            signal=each.signal,
            user_agent=each.visit.user_agent,
            happened_at=each.visit.happened_at,
        )
        for each in judged
    )
    human = [row for row in rows if not row.is_machine]
    mark_first(human)
    audience.record([engagement_event(messages[row.message_id], row) for row in human])
    outbox.publish(
        *(
            MessageEngaged(row.message_id, messages[row.message_id].contact_id, row.kind, row.is_machine)
            for row in rows
        )
    )


def _revise(signals: Mapping[int, str], earlier: Mapping[int, Sequence[Engagement]]) -> None:
    """Earlier visits that turn out to be a machine's no longer count as a person's."""
    if not signals:
        return
    rows = [row for known in earlier.values() for row in known if row.pk in signals]
    for row in rows:
        row.is_machine, row.signal = True, signals[row.pk]
    Engagement.objects.bulk_update(rows, ["is_machine", "signal"])
    _write(AGAIN_SQL, ids=list({row.message_id for row in rows}))


def _write(statement: str, **parameters: Any) -> None:
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(statement, parameters | {"organization": tenancy.required()})
