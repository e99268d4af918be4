"""Who entered and left a segment, newest first: the log behind every count of movements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from django.db import connection

from audience.models import Contact
from common import tenancy
from common.errors import Invalid
from segments.models import Segment

PAGE_SIZE = 50
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
Change = Literal["entered", "left"]
CHANGES: tuple[Change, ...] = ("entered", "left")

# Plan: each branch reads memberships_entered or memberships_left from the cursor on and stops at the page's size;
# rows of one moment (a full build) are sorted among themselves.
BRANCH_SQL = """(
  SELECT {column} AS at, id, '{change}' AS change, contact_id FROM segments_membership
  WHERE organization_id = %(organization)s AND segment_id = %(segment)s AND {column} IS NOT NULL
    AND {column} >= %(since)s AND {column} < %(until)s
    AND (%(contact)s::bigint IS NULL OR contact_id = %(contact)s)
    {after}
  ORDER BY {column} {order}, id {order} LIMIT %(limit)s)"""
AFTER_SQL = """AND {column} {sign}= %(cursor_at)s
    AND ({column}, id, '{change}') {sign} (%(cursor_at)s, %(cursor_id)s, %(cursor_change)s)"""


@dataclass(frozen=True)
class Movement:
    """One line of the log."""

    at: datetime
    membership_id: int
    change: Change
    contact_id: int
    contact: Contact | None


@dataclass(frozen=True)
class Wanted:
    """Which movements: of both kinds or one, from `since` to just before `until`, of everybody or one contact."""

    changes: Sequence[Change] = CHANGES
    since: datetime | None = None
    until: datetime | None = None
    contact_id: int | None = None


@dataclass(frozen=True)
class Page:
    """`older` and `newer` are cursors, "" at an end."""

    movements: list[Movement]
    older: str = ""
    newer: str = ""


def page(segment: Segment, wanted: Wanted, cursor: str = "", size: int = PAGE_SIZE) -> Page:
    """One page of the log. Raises `Invalid` for a cursor that is none."""
    place = _read_cursor(cursor)
    goes_back = place is not None and place[0] == "newer"
    rows = _rows(segment, wanted, place, goes_back, size + 1)
    has_more, rows = len(rows) > size, rows[:size]
    if goes_back:
        rows.reverse()
    movements = _with_contacts(rows)
    if not movements:
        return Page([])
    has_older, has_newer = (True, has_more) if goes_back else (has_more, place is not None)
    return Page(
        movements,
        _cursor("older", movements[-1]) if has_older else "",
        _cursor("newer", movements[0]) if has_newer else "",
    )


def _rows(
    segment: Segment, wanted: Wanted, place: tuple[str, datetime, int, str] | None, goes_back: bool, limit: int
) -> list[tuple[Any, ...]]:
    order, sign = ("ASC", ">") if goes_back else ("DESC", "<")
    branches = []
    for change in wanted.changes:
        column = f"{change}_at"
        after = AFTER_SQL.format(column=column, change=change, sign=sign) if place else ""
        branches.append(BRANCH_SQL.format(column=column, change=change, after=after, order=order))
    parameters: dict[str, Any] = {
        "organization": tenancy.required(), "segment": segment.pk, "limit": limit, "contact": wanted.contact_id,
        "since": wanted.since or "-infinity", "until": wanted.until or "infinity",
    }  # fmt: skip
    if place:
        parameters |= {"cursor_at": place[1], "cursor_id": place[2], "cursor_change": place[3]}
    sql = f"""SELECT * FROM ({" UNION ALL ".join(branches)}) moved
      ORDER BY at {order}, id {order}, change {order} LIMIT %(limit)s"""
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())


def _with_contacts(rows: list[tuple[Any, ...]]) -> list[Movement]:
    contacts = Contact.objects.in_bulk({row[3] for row in rows})
    return [Movement(at, pk, change, who, contacts.get(who)) for at, pk, change, who in rows]


def _cursor(direction: str, movement: Movement) -> str:
    return f"{direction}.{(movement.at - EPOCH) // MICROSECOND}.{movement.membership_id}.{movement.change}"


def _read_cursor(text: str) -> tuple[str, datetime, int, str] | None:
    if not text:
        return None
    try:
        direction, moment, membership_id, change = text.split(".")
        if direction not in ("older", "newer") or change not in CHANGES or int(membership_id) >= 2**63:
            raise ValueError(text)
        return direction, EPOCH + MICROSECOND * int(moment), int(membership_id), change
    except (ValueError, OverflowError) as error:
        sentence = "Take the cursor from `next` or `previous` of an answer."
        raise Invalid("The cursor is wrong.", details={"cursor": sentence}) from error
