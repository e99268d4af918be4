"""How much may go now: asked by `claiming.claim` for each block, inside its transaction and under its lock.

A paused domain or campaign has its marketing held. A domain that warms up sends its day's amount and its pace a
minute, and no more: when more waits, all that waits is seated at once by one statement (people who opened lately
first), each row with the moment of its turn, so that no claim ever walks over the same rows again. What others
asked for (transactional) always goes, and is counted, so marketing makes room for it.

With nothing paused and nothing warming up this costs a block one question of two tiny indexes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection

from common import tenancy
from delivery import lanes
from delivery.domain import warmup
from delivery.models import LaneDay, PauseScope, SendingDomain, SendingPause, SlowLane, SourceType
from delivery.services import seating
from delivery.services.seating import ALL, SLOW, WAITS, Lane, Moment

# Plan: each EXISTS is one probe of a small table.
GOVERNED_SQL = """
SELECT EXISTS (SELECT 1 FROM delivery_sendingdomain WHERE organization_id = %(organization)s AND tier IS NOT NULL)
    OR EXISTS (SELECT 1 FROM delivery_sendingpause WHERE organization_id = %(organization)s AND resumed_at IS NULL)
"""

# Plan: the block's rows and contacts by primary key.
BLOCK_SQL = """
SELECT message.id, message.sender_id, message.kind = 'marketing' AS is_marketing, message.source_type,
       message.source_id, split_part(lower(btrim(contact.email)), '@', 2) AS domain,
       CASE WHEN message.reason NOT LIKE %(waits)s || '%%' THEN ''
            WHEN position(%(slow)s in message.reason) > 0 THEN 'slow' ELSE 'all' END AS seat
  FROM delivery_message AS message
  LEFT JOIN audience_contact AS contact
    ON contact.id = message.contact_id AND contact.organization_id + 0 = %(organization)s
 WHERE message.organization_id + 0 = %(organization)s AND message.id = ANY(%(ids)s)
   AND message.channel = 'email' AND message.source_type <> 'test'
"""

HOLD_SQL = """
UPDATE delivery_message AS message SET status = 'held', reason = told.reason
  FROM unnest(%(ids)s::bigint[], %(reasons)s::text[]) AS told(id, reason)
 WHERE message.id = told.id AND message.organization_id + 0 = %(organization)s
"""

CHARGE_SQL = """
INSERT INTO delivery_laneday AS lane (organization_id, domain_id, provider, day, used, minute, minute_used, booked)
SELECT %(organization)s, told.domain_id, told.provider, %(day)s, told.count, %(minute)s, told.count, 0
  FROM unnest(%(domain_ids)s::bigint[], %(providers)s::text[], %(counts)s::int[]) AS told(domain_id, provider, count)
    ON CONFLICT (organization_id, domain_id, provider, day) DO UPDATE
   SET used = lane.used + excluded.used,
       minute_used = CASE WHEN lane.minute = excluded.minute THEN lane.minute_used ELSE 0 END + excluded.used,
       minute = excluded.minute
"""
UNSEAT_SQL = """
UPDATE delivery_laneday AS lane SET booked = greatest(0, lane.booked - told.count)
  FROM unnest(%(domain_ids)s::bigint[], %(providers)s::text[], %(counts)s::int[]) AS told(domain_id, provider, count)
 WHERE lane.organization_id = %(organization)s AND lane.domain_id = told.domain_id
   AND lane.provider = told.provider AND lane.day = %(day)s
"""


@dataclass(frozen=True)
class _Row:
    """A message of the block as pacing sees it."""

    id: int
    domain: SendingDomain | None  # when it warms up
    provider: str
    is_marketing: bool
    seat: str

    @property
    def lane(self) -> str | None:
        """Whose place it has been given: all providers' or its own one's; None when it never waited."""
        return {"all": ALL, "slow": self.provider}.get(self.seat)


@dataclass
class Permit:
    """What of a block may be judged. `charge` counts what then really goes."""

    ids: list[int]
    postponed_count: int = 0
    rows: dict[int, _Row] = field(default_factory=dict)
    moment: Moment | None = None


def admit(ids: list[int], now: datetime) -> Permit:
    """Which of the due messages may be judged now. The others are held or seated, in the caller's transaction."""
    if not ids or not _is_governed():
        return Permit(ids)
    senders = lanes.senders()
    rows = _read(ids)
    held = _hold_paused(rows, senders)
    warming = {each.name: each for each in SendingDomain.objects.filter(tier__isnull=False)}
    providers = lanes.providers_of({row["domain"] for row in rows}) if warming else {}
    seen = {
        row["id"]: _Row(
            row["id"],
            warming.get(senders.domain(row["sender_id"])),
            providers.get(row["domain"], "other"),
            row["is_marketing"],
            row["seat"],
        )
        for row in rows
        if row["id"] not in held
    }
    moment = Moment(now, lanes.today(now))
    away = set(held)
    for domain in warming.values():
        here = [row for row in seen.values() if row.domain is domain]
        if any(row.is_marketing for row in here):
            away |= _seat_what_exceeds(domain, here, senders, moment)
    kept = {pk: row for pk, row in seen.items() if pk not in away and row.domain is not None}
    return Permit([pk for pk in ids if pk not in away], len(away), kept, moment)


def charge(permit: Permit, sending: Iterable[int]) -> None:
    """Count those of an admitted block that policy let go, in the same transaction."""
    if not permit.rows or permit.moment is None:
        return
    going = [row for pk in sending if (row := permit.rows.get(pk)) is not None]
    counts = Counter((row.domain.pk, lane) for row in going if row.domain for lane in (ALL, row.provider))
    seats = Counter((row.domain.pk, row.lane) for row in permit.rows.values() if row.domain and row.lane is not None)
    today = {"day": permit.moment.day.date, "minute": permit.moment.minute}
    with tenancy.engine(), connection.cursor() as cursor:
        if counts:
            cursor.execute(CHARGE_SQL, _counted(counts) | today)
        if seats:
            cursor.execute(UNSEAT_SQL, _counted(seats) | today)


def _counted(counts: Mapping[tuple[int, str], int]) -> dict[str, Any]:
    ordered = sorted(counts.items())
    return {
        "organization": tenancy.required(),
        "domain_ids": [key[0] for key, _ in ordered],
        "providers": [key[1] for key, _ in ordered],
        "counts": [count for _, count in ordered],
    }


def _is_governed() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(GOVERNED_SQL, {"organization": tenancy.required()})
        return bool(cursor.fetchone()[0])


def _read(ids: list[int]) -> list[dict[str, Any]]:
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(BLOCK_SQL, {"organization": tenancy.required(), "ids": ids, "waits": WAITS, "slow": SLOW})
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _hold_paused(rows: list[dict[str, Any]], senders: lanes.Senders) -> set[int]:
    """Put the block's marketing of paused domains and campaigns aside; returns the ids."""
    pauses = {(each.scope, each.target): each.reason for each in SendingPause.objects.filter(resumed_at=None)}
    if not pauses:
        return set()
    reasons: dict[int, str] = {}
    for row in rows:
        if not row["is_marketing"]:
            continue
        found = pauses.get((PauseScope.DOMAIN, senders.domain(row["sender_id"])))
        if row["source_type"] == SourceType.CAMPAIGN:
            found = found or pauses.get((PauseScope.CAMPAIGN, str(row["source_id"])))
        if found:
            reasons[row["id"]] = found
    if reasons:
        parameters: dict[str, Any] = {
            "ids": list(reasons),
            "reasons": list(reasons.values()),
            "organization": tenancy.required(),
        }
        with tenancy.engine(), connection.cursor() as cursor:
            cursor.execute(HOLD_SQL, parameters)
    return set(reasons)


def _seat_what_exceeds(domain: SendingDomain, rows: list[_Row], senders: lanes.Senders, at: Moment) -> set[int]:
    """Seat all that is due of the domain, or of a slow lane, where the block wants more than may go now."""
    today = {lane.provider: lane for lane in LaneDay.objects.filter(domain=domain, day=at.day.date)}
    assert domain.tier is not None
    wanting = [row for row in rows if row.is_marketing]
    whole = Lane(
        domain, ALL, warmup.budget(domain.tier, domain.goal_per_day), today.get(ALL), len(rows) - len(wanting)
    )
    if len(wanting) > whole.room(at):
        seating.seat(whole, senders, at)
        return {row.id for row in wanting}
    away: set[int] = set()
    for slow in SlowLane.objects.filter(domain=domain):
        most = warmup.budget(domain.tier, domain.goal_per_day, slow.reduction)
        here = [row for row in rows if row.provider == slow.provider]
        mine = {row.id for row in here if row.is_marketing}
        lane = Lane(domain, slow.provider, most, today.get(slow.provider), len(here) - len(mine))
        if len(mine) > lane.room(at):
            seating.seat(lane, senders, at)
            away |= mine
    return away
