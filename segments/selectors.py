"""Reads of this room: members, and what a rule says about contacts. Evaluation is always the rule compiler's."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from django.db import connection, transaction
from django.db.models import QuerySet

from audience.models import Contact
from common import clock, tenancy
from common.errors import NotFound
from segments import rules
from segments.models import Membership, Segment
from segments.rules import catalogue, compiler, remembered
from segments.rules.compiler import Query
from segments.rules.tree import Rule

MATCHING_BLOCK = 10_000
PREVIEW_SAMPLE = 10


@dataclass(frozen=True)
class Verdict:
    """What a rule says about a contact now, and when time alone may change it."""

    contact_id: int
    is_match: bool
    flips_at: datetime | None


@dataclass(frozen=True)
class Preview:
    """How many contacts a rule finds, and some of them, the youngest first."""

    size: int
    sample: list[Contact]


def find(reference: str | int) -> Segment:
    """The segment with this id or slug; raises `NotFound`."""
    text = str(reference)
    segment = None
    if text.isascii() and text.isdigit() and len(text) < 19:
        segment = Segment.objects.filter(pk=int(text)).first()
    segment = segment or Segment.objects.filter(slug=text).first()
    if segment is None:
        raise NotFound(f"There is no segment “{text[:100]}” here.")
    return segment


def matching(rule_json: Any, contact_ids: Sequence[int]) -> set[int]:
    """Which of these contacts a rule finds. Raises `Invalid` with the place of every problem."""
    return {
        verdict.contact_id for verdict in verdicts(rules.parse_stored(rule_json), contact_ids) if verdict.is_match
    }


def values_read(rules_json: Sequence[Any], contact_ids: Collection[int]) -> dict[int, msgspec.Raw]:
    """Contact → the fields that these rules read of it, now, as JSON (`rules.remembered`). The catalogue is loaded
    once for all of them, and at most one statement reads the fields."""
    known = catalogue.load()
    return remembered.read([rules.parse_stored(each, known) for each in rules_json], contact_ids)


def matching_query(rule_json: Any) -> Query:
    """A query of everybody whom a rule finds now, of everybody who lives for no rule: yields `contact_id`.

    To be run as the tables' owner; it names the organisation itself. Plan: the full build's SELECT.
    """
    if rule_json is None:
        sql = f"SELECT contact.id AS contact_id FROM audience_contact contact WHERE {compiler.LIVING}"
        return Query(sql, {"organization": tenancy.required()})
    query = compiler.everybody(rules.parse_stored(rule_json), tenancy.required(), clock.now())
    return Query(f"SELECT contact_id FROM ({query.sql}) verdict WHERE truth", query.parameters)


def verdicts(rule: Rule, contact_ids: Sequence[int]) -> list[Verdict]:
    """What a rule says about each of these contacts that lives, by id."""
    unique = sorted(set(contact_ids))
    found = []
    for start in range(0, len(unique), MATCHING_BLOCK):
        block = unique[start : start + MATCHING_BLOCK]
        query = compiler.few({0: rule}, [0] * len(block), block, tenancy.required(), clock.now())
        rows = _fetch(f"{query.sql} SELECT contact_id, truth, flips_at FROM evaluated ORDER BY 1", query.parameters)
        found += [Verdict(*row) for row in rows]
    return found


def past_verdicts(
    rule: Rule, contact_ids: Sequence[int], moments: Sequence[datetime]
) -> list[tuple[bool, datetime | None]]:
    """What a rule would have said about each of these contacts at the moment beside it, in the same order: whether
    it matches, and before when that cannot change. Nobody matches who is gone.

    What it may know of the past, and what is taken as it is today, is told by `compiler.past`. Plan: as `verdicts`;
    jit off, because compiling the plan of a block would take longer than running it.
    """
    found: list[tuple[bool, datetime | None]] = [(False, None)] * len(contact_ids)
    for start in range(0, len(contact_ids), MATCHING_BLOCK):
        block = slice(start, start + MATCHING_BLOCK)
        query = compiler.past({0: rule}, contact_ids[block], moments[block], tenancy.required())
        with transaction.atomic(), tenancy.engine(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL jit = off")
            cursor.execute(f"{query.sql} SELECT pair, truth, flips_at FROM evaluated", query.parameters)
            for pair, truth, flips_at in cursor.fetchall():
                found[start + pair - 1] = truth, flips_at
    return found


def preview(rule: Rule, *, sample: int = PREVIEW_SAMPLE) -> Preview:
    """The exact size of what a rule finds now, with a sample. Plan: the full build's SELECT, nothing written."""
    query = compiler.everybody(rule, tenancy.required(), clock.now())
    rows = _fetch(
        f"""WITH found AS MATERIALIZED (SELECT contact_id FROM ({query.sql}) verdict WHERE truth)
            SELECT (SELECT count(*) FROM found),
                   ARRAY(SELECT contact_id FROM found ORDER BY contact_id DESC LIMIT %(sample)s)""",
        query.parameters | {"sample": sample},
    )
    size, ids = rows[0]
    return Preview(size, list(Contact.objects.filter(pk__in=ids).order_by("-pk")))


def members_sql(segment_ids: Sequence[int]) -> tuple[str, dict[str, Any]]:
    """A SELECT of the distinct contact ids that stand in any of these segments, and its parameters.

    For set SQL run inside `tenancy.engine()`.
    """
    sql = (
        "SELECT DISTINCT membership.contact_id FROM segments_membership membership "
        "WHERE membership.organization_id = %(organization)s AND membership.left_at IS NULL "
        "AND membership.segment_id = ANY(%(segments)s::bigint[])"
    )
    return sql, {"organization": tenancy.required(), "segments": list(segment_ids)}


def member_ids(segment_id: int) -> list[int]:
    """Everybody who stands in a segment, by id."""
    sql, parameters = members_sql([segment_id])
    return [row[0] for row in _fetch(f"{sql} ORDER BY 1", parameters)]


def existing(segment_ids: Collection[int]) -> set[int]:
    """Those of the ids behind which a segment stands."""
    return set(Segment.objects.filter(pk__in=segment_ids).values_list("pk", flat=True)) if segment_ids else set()


def standing_in(segment_ids: Collection[int], contact_ids: Sequence[int]) -> dict[int, frozenset[int]]:
    """In which of these segments each of these contacts stands now; contacts in none are left out.

    Plan: per contact one range of membership_by_contact.
    """
    rows = _fetch(
        """SELECT membership.contact_id, array_agg(membership.segment_id)
             FROM unnest(%(contacts)s::bigint[]) AS asked(id)
             JOIN segments_membership AS membership
               ON membership.organization_id = %(organization)s AND membership.contact_id = asked.id
              AND membership.segment_id = ANY(%(segments)s::bigint[]) AND membership.left_at IS NULL
            GROUP BY membership.contact_id""",
        {
            "organization": tenancy.required(),
            "contacts": sorted(set(contact_ids)),
            "segments": sorted(segment_ids),
        },
    )
    return {contact_id: frozenset(found) for contact_id, found in rows}


def memberships(segment: Segment) -> QuerySet[Membership]:
    """Open memberships with their contacts, in the order of the index they are read from."""
    return Membership.objects.filter(segment=segment, left_at=None).select_related("contact").order_by("-contact_id")


def _fetch(sql: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())
