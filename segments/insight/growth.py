"""How a segment grew: who entered and left per day, and its size at the end of each day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import connection

from accounts.models import Organization
from common import clock, tenancy
from common.errors import Invalid
from segments.models import Segment

DEFAULT_DAYS, MOST_DAYS = 30, 730

# Plan: two ranges of memberships_entered and memberships_left. The size is walked back from now, so it needs
# no more than the movements since.
MOVED_SQL = """
SELECT day, sum(entered)::bigint, sum("left")::bigint FROM (
  SELECT (entered_at AT TIME ZONE %(zone)s)::date AS day, count(*) AS entered, 0 AS "left"
  FROM segments_membership
  WHERE organization_id = %(organization)s AND segment_id = %(segment)s AND entered_at >= %(since)s GROUP BY 1
  UNION ALL
  SELECT (left_at AT TIME ZONE %(zone)s)::date, 0, count(*) FROM segments_membership
  WHERE organization_id = %(organization)s AND segment_id = %(segment)s AND left_at >= %(since)s GROUP BY 1
) moved GROUP BY day"""


@dataclass(frozen=True)
class Day:
    """A day of the organisation's zone; `size` is at its end (now, for today)."""

    day: date
    entered: int
    left: int
    size: int


@dataclass(frozen=True)
class Growth:
    """Oldest day first; `zone` is the one its days are of."""

    days: list[Day]
    zone: str

    @property
    def entered(self) -> int:
        return sum(day.entered for day in self.days)

    @property
    def left(self) -> int:
        return sum(day.left for day in self.days)


def growth(segment: Segment, days: int = DEFAULT_DAYS) -> Growth:
    """The last `days` days, today included, but none before the segment was made. Raises `Invalid`."""
    if not 1 <= days <= MOST_DAYS:
        raise Invalid("Ask for another number of days.", details={"days": f"A whole number from 1 to {MOST_DAYS}."})
    zone = ZoneInfo(Organization.objects.get(pk=tenancy.required()).timezone)
    today = clock.now().astimezone(zone).date()
    made = segment.created_at.astimezone(zone).date()
    first = min(max(today - timedelta(days=days - 1), made), today)
    moved = _moved(segment, datetime.combine(first, time(), zone), zone.key)
    size, found = segment.member_count, []
    for back in range((today - first).days + 1):
        day = today - timedelta(days=back)
        entered, left = moved.get(day, (0, 0))
        found.append(Day(day, entered, left, size))
        size += left - entered
    return Growth(found[::-1], zone.key)


def _moved(segment: Segment, since: datetime, zone: str) -> dict[date, tuple[int, int]]:
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(
            MOVED_SQL, {"organization": tenancy.required(), "segment": segment.pk, "since": since, "zone": zone}
        )
        return {day: (entered, left) for day, entered, left in cursor.fetchall()}
