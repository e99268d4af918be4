"""Who stands in a segment by hand, and what a merge of contacts means for memberships."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection, transaction

from accounts import audit
from common import clock, tenancy
from common.errors import Conflict
from segments.models import Segment, SegmentKind
from segments.services import refresh

ADD_SQL = """
WITH entered AS (
  INSERT INTO segments_membership (organization_id, segment_id, contact_id, entered_at)
  SELECT %(organization)s, %(segment)s, contact.id, %(now)s FROM audience_contact contact
  WHERE contact.organization_id = %(organization)s AND contact.id = ANY(%(contacts)s::bigint[])
    AND contact.merged_into_id IS NULL
  ORDER BY contact.id
  ON CONFLICT (segment_id, contact_id) WHERE left_at IS NULL DO NOTHING
  RETURNING contact_id
), counted AS (
  UPDATE segments_segment SET member_count = member_count + (SELECT count(*) FROM entered)
  WHERE id = %(segment)s AND organization_id = %(organization)s)
SELECT contact_id FROM entered ORDER BY contact_id"""
REMOVE_SQL = """
WITH gone AS (
  UPDATE segments_membership SET left_at = %(now)s
  WHERE organization_id = %(organization)s AND segment_id = %(segment)s AND contact_id = ANY(%(contacts)s::bigint[])
    AND left_at IS NULL
  RETURNING contact_id
), counted AS (
  UPDATE segments_segment SET member_count = member_count - (SELECT count(*) FROM gone)
  WHERE id = %(segment)s AND organization_id = %(organization)s)
SELECT contact_id FROM gone ORDER BY contact_id"""
# Static memberships of a merged contact pass to the survivor; dynamic ones are evaluated anew.
STATIC_OF_MERGED_SQL = """
SELECT membership.segment_id, membership.contact_id FROM segments_membership membership
JOIN segments_segment segment ON segment.id = membership.segment_id AND segment.kind = 'static'
WHERE membership.organization_id = %(organization)s AND membership.contact_id = ANY(%(merged)s::bigint[])
  AND membership.left_at IS NULL ORDER BY 1, 2"""

# Plan: membership_by_contact.
FORGET_SQL = """
WITH gone AS (
  DELETE FROM segments_membership
  WHERE organization_id = %(organization)s AND contact_id = ANY(%(contacts)s::bigint[])
  RETURNING segment_id, contact_id, left_at
), open AS (
  SELECT segment_id, array_agg(contact_id ORDER BY contact_id) AS contacts FROM gone WHERE left_at IS NULL
  GROUP BY segment_id
), counted AS (
  UPDATE segments_segment segment SET member_count = member_count - cardinality(open.contacts)
  FROM open WHERE segment.id = open.segment_id)
SELECT segment_id, contacts FROM open ORDER BY segment_id"""


def add_contacts(segment: Segment, contact_ids: Sequence[int]) -> list[int]:
    """Put contacts into a static segment; returns those that entered now. Unknown contacts are passed over.

    Raises `Conflict` for a dynamic segment.
    """
    return _change_by_hand(segment, contact_ids, ADD_SQL, "add_contacts")


def remove_contacts(segment: Segment, contact_ids: Sequence[int]) -> list[int]:
    """Take contacts out of a static segment; returns those that left now. Raises `Conflict` for a dynamic one."""
    return _change_by_hand(segment, contact_ids, REMOVE_SQL, "remove_contacts")


def _change_by_hand(segment: Segment, contact_ids: Sequence[int], statement: str, action: str) -> list[int]:
    if segment.kind != SegmentKind.STATIC:
        raise Conflict(
            f"“{segment.name}” is a dynamic segment: its rule decides who is in it. Change the rule, or use a static "
            "segment.",
            code="dynamic_segment",
        )
    with transaction.atomic():
        changed = _execute(statement, segment.pk, contact_ids)
        if changed:
            audit.record(action, segment, after={"contact_count": len(changed), "contact_ids": changed[:100]})
    return changed


def _execute(statement: str, segment_id: int, contact_ids: Sequence[int]) -> list[int]:
    values: dict[str, Any] = {
        "organization": tenancy.required(),
        "segment": segment_id,
        "contacts": list(contact_ids),
        "now": clock.now(),
    }
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(statement, values)
        changed = [row[0] for row in cursor.fetchall()]
    entered, left = (changed, []) if statement is ADD_SQL else ([], changed)
    refresh.announce(segment_id, entered, left)
    return changed


def follow_merges(survivors: Mapping[int, int]) -> None:
    """Hand the static memberships of merged contacts (keys) to their survivors (values)."""
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(STATIC_OF_MERGED_SQL, {"organization": tenancy.required(), "merged": list(survivors)})
        rows = cursor.fetchall()
    by_segment: dict[int, list[int]] = {}
    for segment_id, contact_id in rows:
        by_segment.setdefault(segment_id, []).append(contact_id)
    for segment_id, merged in by_segment.items():
        _execute(REMOVE_SQL, segment_id, merged)
        _execute(ADD_SQL, segment_id, [_last(contact_id, survivors) for contact_id in merged])


def forget(contact_ids: Sequence[int]) -> None:
    """Take deleted contacts out of every segment, and out of its history."""
    refresh.lock_refreshers()
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(FORGET_SQL, {"organization": tenancy.required(), "contacts": list(contact_ids)})
        left = cursor.fetchall()
    for segment_id, contacts in left:
        refresh.announce(segment_id, [], contacts)


def _last(contact_id: int, survivors: Mapping[int, int]) -> int:
    """The end of a chain of merges in one notice."""
    for _ in range(len(survivors)):
        contact_id = survivors.get(contact_id, contact_id)
    return contact_id
