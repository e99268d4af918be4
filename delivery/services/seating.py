"""Who must wait gets a place: all that is due of a lane is seated by one statement, each mail with its moment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection

from common import tenancy
from delivery import lanes
from delivery.domain import booking, mailboxes
from delivery.domain.booking import Opening, Stretch
from delivery.lanes import Day
from delivery.models import LaneDay, SendingDomain

ALL = ""  # the lane of all mailbox providers together
HORIZON_DAYS = 60
WAITS = "Waits for its turn: "  # how the reason of every seated message begins
SLOW = " puts off mail from "  # … and what it says when one provider is the cause

# All that is due of a domain (or of one of its lanes) gets a place. Who engaged last sits first.
# Plan: queued_messages up to now, one probe of messages_by_contact for each; at most once for each mail that waits.
SEAT_SQL = f"""
WITH waiting AS (
    SELECT message.id, message.reason LIKE %(waits)s || '%%' AS was_seated, row_number() OVER (
               ORDER BY engaged.at DESC NULLS LAST, message.priority, message.run_at, message.id) - 1 AS place
      FROM delivery_message AS message {lanes.SENDER_JOIN}
      JOIN audience_contact AS contact
        ON contact.id = message.contact_id AND contact.organization_id + 0 = %(organization)s
      LEFT JOIN unnest(%(mailbox_domains)s::text[], %(mailbox_providers)s::text[]) AS mailbox(name, provider)
             ON mailbox.name = split_part(lower(btrim(contact.email)), '@', 2)
      LEFT JOIN LATERAL (
           SELECT max(greatest(past.opened_at, past.clicked_at)) AS at FROM delivery_message AS past
            WHERE past.organization_id = %(organization)s AND past.contact_id = message.contact_id
              AND past.opened_at IS NOT NULL) AS engaged ON true
     WHERE message.organization_id = %(organization)s AND message.status = 'queued' AND message.run_at <= %(now)s
       AND message.kind = 'marketing' AND message.channel = 'email' AND message.source_type <> 'test'
       AND {lanes.SENDER_DOMAIN} = %(domain)s
       AND (%(provider)s = '' OR coalesce(mailbox.provider, 'other') = %(provider)s))
UPDATE delivery_message AS message
   SET run_at = stretch.starts_at + (waiting.place - stretch.first) * stretch.seconds_each * interval '1 second',
       reason = stretch.reason
  FROM waiting
  JOIN unnest(%(firsts)s::bigint[], %(lasts)s::bigint[], %(starts)s::timestamptz[], %(seconds)s::float8[],
              %(reasons)s::text[]) AS stretch(first, last, starts_at, seconds_each, reason)
    ON waiting.place >= stretch.first AND waiting.place < stretch.last
 WHERE message.id = waiting.id AND message.organization_id + 0 = %(organization)s
"""

COUNT_WAITING_SQL = SEAT_SQL.partition("UPDATE delivery_message AS message")[0] + (
    "SELECT count(*), count(*) FILTER (WHERE was_seated) FROM waiting"
)


@dataclass(frozen=True)
class Moment:
    """Now, and the sending day it falls into."""

    now: datetime
    day: Day

    @property
    def minute(self) -> datetime:
        return self.now.replace(second=0, microsecond=0)


@dataclass(frozen=True)
class Lane:
    """A domain, or its way to one provider, and its amount a day. `ahead`: awaited mails of the block go first."""

    domain: SendingDomain
    provider: str
    per_day: int
    today: LaneDay | None
    ahead: int = 0

    @property
    def used(self) -> int:
        return (self.today.used if self.today else 0) + self.ahead

    def room(self, at: Moment) -> int:
        """How many may go in this minute."""
        this_minute = self.today.minute_used if self.today and self.today.minute == at.minute else 0
        return max(0, min(self.per_day - self.used, booking.pace(self.per_day) - this_minute - self.ahead))

    @property
    def reason(self) -> str:
        name = self.domain.name
        if self.provider == ALL:
            return f"{WAITS}{name} is warming up and sends {self.per_day:,} marketing mails a day for now."
        label = mailboxes.LABELS.get(self.provider, self.provider)
        return f"{WAITS}{label}{SLOW}{name}, so it gets {self.per_day:,} a day for now."


def seat(lane: Lane, senders: lanes.Senders, at: Moment) -> None:
    """Give all due marketing of the lane its moment: now, later today, or on one of the next days."""
    parameters: dict[str, Any] = {
        "organization": tenancy.required(),
        "domain": lane.domain.name,
        "provider": lane.provider,
        "now": at.now,
        "waits": WAITS,
        **senders.parameters(),
        **lanes.provider_arrays(),
    }
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(COUNT_WAITING_SQL, parameters)
        waiting, seated_before = cursor.fetchone()
        openings = list(_openings(lane, at, seated_before))
        stretches = booking.book([opening for _, opening in openings], waiting)
        cursor.execute(SEAT_SQL, parameters | _places(stretches, lane.reason, at))
    _keep(lane, at, openings, stretches, seated_before)


def _places(stretches: list[Stretch], reason: str, at: Moment) -> dict[str, Any]:
    return {
        "firsts": [each.first for each in stretches],
        "lasts": [each.last for each in stretches],
        "starts": [each.starts_at for each in stretches],
        "seconds": [each.seconds_each for each in stretches],
        "reasons": [reason if each.starts_at > at.now else "" for each in stretches],
    }


def _openings(lane: Lane, at: Moment, seated_before: int) -> Iterator[tuple[date, Opening]]:
    """This minute, the rest of today and the days after, each less what is seated there already."""
    rate = booking.pace(lane.per_day)
    rows = LaneDay.objects.filter(domain=lane.domain, provider=lane.provider, day__gte=at.day.date)
    taken = {row.day: row for row in rows}
    booked = max(0, lane.today.booked - seated_before) if lane.today else 0
    room_now = lane.room(at)
    yield at.day.date, Opening(at.now, room_now, 0)
    until = lane.today.booked_until if lane.today else None
    later = max(at.minute + timedelta(minutes=1), until or at.now)
    day = at.day.following()
    minutes = max(0, int((day.starts_at - later).total_seconds() // 60))
    left = max(0, lane.per_day - lane.used - booked - room_now)
    yield at.day.date, Opening(later, min(left, minutes * rate), rate)
    for _ in range(HORIZON_DAYS):
        row = taken.get(day.date)
        start = max(day.opens_at, row.booked_until) if row and row.booked_until else day.opens_at
        yield day.date, Opening(start, max(0, lane.per_day - (row.booked if row else 0)), rate)
        day = day.following()


def _keep(
    lane: Lane, at: Moment, openings: list[tuple[date, Opening]], stretches: list[Stretch], seated_before: int
) -> None:
    """Note how much of each day is taken, and until when."""
    days = {opening.starts_at: day for day, opening in openings}
    if lane.today is not None and seated_before:
        lane.today.booked = max(0, lane.today.booked - seated_before)
        lane.today.save(update_fields=["booked"])
    for stretch in stretches:
        if stretch.starts_at > at.now and stretch.starts_at in days:
            count = stretch.last - stretch.first
            row, _ = LaneDay.objects.get_or_create(
                domain=lane.domain, provider=lane.provider, day=days[stretch.starts_at]
            )
            row.booked += count
            row.booked_until = stretch.starts_at + timedelta(seconds=count * stretch.seconds_each)
            row.save(update_fields=["booked", "booked_until"])
