"""A file of ids or e-mail addresses → the members of a static segment, in set statements."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Literal

from django.db import connection, transaction

from accounts import audit
from common import clock, tenancy
from common.errors import Conflict, Invalid
from segments.domain import uploads
from segments.models import Segment, SegmentKind
from segments.services import refresh

Mode = Literal["add", "remove", "replace"]
SHOWN_UNKNOWN = 100
COPY_BLOCK = 10_000
ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
LISTED_IDS = 100  # segments.insight.explanation knows that an entry with more is cut

UPLOADED_SQL = "CREATE TEMPORARY TABLE uploaded (line int, by text, value text) ON COMMIT DROP"
COPY_SQL = "COPY uploaded (line, by, value) FROM STDIN"
# Plan: hash joins of the file with contacts and identities, each read once. Who was merged counts as the survivor.
FOUND_SQL = """
CREATE TEMPORARY TABLE found ON COMMIT DROP AS
SELECT named.line, contact.id AS contact_id FROM (
  SELECT uploaded.line, coalesce(known.merged_into_id, known.id) AS contact_id
  FROM uploaded JOIN audience_contact known ON known.id = uploaded.value::bigint
  WHERE uploaded.by = 'id' AND known.organization_id = %(organization)s
  UNION ALL
  SELECT uploaded.line, coalesce(known.merged_into_id, known.id)
  FROM uploaded JOIN audience_contact known ON known.email = uploaded.value
  WHERE uploaded.by = 'email' AND known.organization_id = %(organization)s
  UNION ALL
  SELECT uploaded.line, coalesce(known.merged_into_id, known.id)
  FROM uploaded JOIN audience_contact known ON known.user_id = uploaded.value
  WHERE uploaded.by = 'user_id' AND known.organization_id = %(organization)s
  UNION ALL
  SELECT uploaded.line, identity.contact_id
  FROM uploaded JOIN audience_identity identity ON identity.kind = uploaded.by AND identity.value = uploaded.value
  WHERE uploaded.by <> 'id' AND identity.organization_id = %(organization)s) named
JOIN audience_contact contact ON contact.id = named.contact_id
  AND contact.organization_id = %(organization)s AND contact.merged_into_id IS NULL"""
UNKNOWN_SQL = """
SELECT count(*), (array_agg(value))[1:%(shown)s] FROM (
  SELECT DISTINCT by, value FROM uploaded
  WHERE NOT EXISTS (SELECT 1 FROM found WHERE found.line = uploaded.line)) unknown"""
ENTER_SQL = """
WITH entered AS (
  INSERT INTO segments_membership (organization_id, segment_id, contact_id, entered_at)
  SELECT DISTINCT %(organization)s::bigint, %(segment)s::bigint, contact_id, %(now)s::timestamptz FROM found
  ORDER BY contact_id
  ON CONFLICT (segment_id, contact_id) WHERE left_at IS NULL DO NOTHING
  RETURNING contact_id)
SELECT array_agg(contact_id) FROM (SELECT contact_id, row_number() OVER () / %(block)s AS block FROM entered) numbered
GROUP BY block"""
LEAVE_SQL = """
WITH gone AS (
  UPDATE segments_membership membership SET left_at = %(now)s
  WHERE membership.organization_id = %(organization)s AND membership.segment_id = %(segment)s
    AND membership.left_at IS NULL
    AND {negation}EXISTS (SELECT 1 FROM found WHERE found.contact_id = membership.contact_id)
  RETURNING contact_id)
SELECT array_agg(contact_id) FROM (SELECT contact_id, row_number() OVER () / %(block)s AS block FROM gone) numbered
GROUP BY block"""
COUNT_SQL = """
UPDATE segments_segment SET member_count = member_count + %(change)s
WHERE id = %(segment)s AND organization_id = %(organization)s"""


@dataclass(frozen=True)
class Uploaded:
    """What a file did. `unknown` are the first values that name nobody here, `unknown_count` how many do."""

    lines: int
    people: int
    entered: int
    left: int
    unknown_count: int
    unknown: list[str] = field(default_factory=list)


def upload_contacts(segment: Segment, lines: Iterable[str], mode: Mode = "add") -> Uploaded:
    """Put the people of a CSV into a static segment, take them out, or make it exactly these.

    Raises `Conflict` for a dynamic segment, `Invalid` for a file that is no CSV or names nobody; then nothing
    is written.
    """
    if segment.kind != SegmentKind.STATIC:
        raise Conflict(
            f"“{segment.name}” is a dynamic segment: its rule decides who is in it. Upload into a static segment.",
            code="dynamic_segment",
        )
    values: dict[str, Any] = {
        "organization": tenancy.required(), "segment": segment.pk, "now": clock.now(),
        "block": refresh.NOTICE_BLOCK, "shown": SHOWN_UNKNOWN,
    }  # fmt: skip
    with transaction.atomic(), tenancy.engine(), connection.cursor() as cursor:
        line_count = _copy(cursor, lines)
        cursor.execute("SET LOCAL work_mem = '64MB'")
        cursor.execute("SET LOCAL jit = off")
        # A stale estimate of young tables must not make it read them once per line.
        cursor.execute("SET LOCAL enable_nestloop = off")
        people = _resolve(cursor, values)
        if not people:
            raise Invalid(
                "Nobody in this file is known here: the column must hold our ids, e-mail addresses or your user ids.",
                details={"file": "No line names a contact."},
            )
        entered, left = _write(cursor, values, mode)
        cursor.execute(UNKNOWN_SQL, values)
        unknown_count, unknown = cursor.fetchone()
        for table in ("uploaded", "found"):
            cursor.execute(f"DROP TABLE {table}")  # a second upload may follow in one transaction
        done = Uploaded(line_count, people, _size(entered), _size(left), unknown_count, unknown or [])
        _announce_and_record(segment, mode, entered, left, done)
    return done


def _copy(cursor: Any, lines: Iterable[str]) -> int:
    """The file as a table; returns how many lines name somebody."""
    cursor.execute(UPLOADED_SQL)
    count = 0
    try:
        with cursor.copy(COPY_SQL) as copy:
            people = uploads.read(lines)
            while block := list(islice(people, COPY_BLOCK)):
                # A block of text at once takes a third of the time of a row at a time.
                rows = (f"{count + place}\t{by}\t{_escaped(value)}\n" for place, (by, value) in enumerate(block))
                copy.write("".join(rows))
                count += len(block)
    except (csv.Error, UnicodeDecodeError) as error:
        sentence = "Save it as CSV in UTF-8 and try again."
        raise Invalid(f"This file cannot be read as CSV: {error}", details={"file": sentence}) from error
    return count


def _escaped(value: str) -> str:
    """Text as COPY reads it."""
    return value.translate(ESCAPES)


def _resolve(cursor: Any, values: dict[str, Any]) -> int:
    """How many different contacts the file names."""
    cursor.execute("ANALYZE uploaded")
    cursor.execute(FOUND_SQL, values)
    cursor.execute("SELECT count(DISTINCT contact_id) FROM found")
    return int(cursor.fetchone()[0])


def _write(cursor: Any, values: dict[str, Any], mode: Mode) -> tuple[list[list[int]], list[list[int]]]:
    """Who entered and who left, in blocks."""
    entered, left = [], []
    if mode in ("remove", "replace"):
        cursor.execute(LEAVE_SQL.format(negation="" if mode == "remove" else "NOT "), values)
        left = [row[0] for row in cursor.fetchall()]
    if mode in ("add", "replace"):
        cursor.execute(ENTER_SQL, values)
        entered = [row[0] for row in cursor.fetchall()]
    if change := _size(entered) - _size(left):
        cursor.execute(COUNT_SQL, values | {"change": change})
    return entered, left


def _announce_and_record(
    segment: Segment, mode: Mode, entered: list[list[int]], left: list[list[int]], done: Uploaded
) -> None:
    for block in left:
        refresh.announce(segment.pk, [], block)
    for block in entered:
        refresh.announce(segment.pk, block, [])
    # The log of a contact asks who put it in or took it out: one entry for each way.
    for action, blocks in (("upload_add", entered), ("upload_remove", left)):
        if blocks:
            after = {"contact_count": _size(blocks), "contact_ids": blocks[0][:LISTED_IDS], "mode": mode}
            audit.record(action, segment, after=after | {"lines": done.lines, "unknown_count": done.unknown_count})


def _size(blocks: list[list[int]]) -> int:
    return sum(map(len, blocks))
