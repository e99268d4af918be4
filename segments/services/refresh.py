"""Live membership: evaluate pairs of segment and contact, and write what changed, in one statement.

Refreshers of one organisation go one after another (an advisory lock taken before the evaluation's snapshot),
so the one that evaluates last also saw everything. A segment that is being built is left alone: its contacts
are noted as Recheck rows and looked at once it is ready (services/build.py).
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from django.db import connection, transaction

from common import clock, doorbell, outbox, tenancy
from common.errors import Invalid
from segments.models import Membership, Recheck, Segment, SegmentKind, SegmentStatus
from segments.notices import MembershipChanged
from segments.rules import catalogue, compiler, needs, parser
from segments.rules.catalogue import Catalogue
from segments.rules.tree import Rule

logger = logging.getLogger(__name__)

Pair = tuple[int, int]
NOTICE_BLOCK = 2_000
PAIR_BLOCK = 50_000  # one contact in 200 segments is 200 pairs
MOST_READ = 5_000

# Segment → the version and the catalogue its rule was read with, and the rule.
_read: dict[int, tuple[int, Catalogue, Rule]] = {}
# Organisation → its catalogue when rules were last read.
_known: dict[int, Catalogue] = {}

# Plan: one probe per pair into memberships and one into checks, each by its unique index (segment, contact), and as
# sub-selects, so that no stale estimate turns them into a scan of everybody's memberships; every write reads that
# one list, so it touches nothing but what differs. `evaluated` is not joined to the pairs but grouped with them: the
# planner cannot know how many rows it has, and once chose to read it for each of them.
# A stored check may come early, never late: it is moved only to an earlier moment, or once it is due.
APPLY_SQL = """, outcome AS (
  SELECT segment_id, contact_id, coalesce(bool_or(truth), false) AS truth, max(flips_at) AS flips_at
  FROM (SELECT segment_id, contact_id, truth, flips_at FROM evaluated
        UNION ALL SELECT segment_id, contact_id, NULL, NULL FROM pairs) answer
  GROUP BY segment_id, contact_id
), pair_now AS MATERIALIZED (
  SELECT outcome.*, (
    SELECT open.id FROM segments_membership open WHERE open.segment_id = outcome.segment_id
      AND open.contact_id = outcome.contact_id AND open.left_at IS NULL) AS membership_id, (
    SELECT flipcheck.flips_at FROM segments_flipcheck flipcheck WHERE flipcheck.segment_id = outcome.segment_id
      AND flipcheck.contact_id = outcome.contact_id) AS check_at
  FROM outcome
), entered AS (
  INSERT INTO segments_membership (organization_id, segment_id, contact_id, entered_at)
  SELECT %(organization)s, segment_id, contact_id, %(now)s FROM pair_now WHERE truth AND membership_id IS NULL
  ON CONFLICT (segment_id, contact_id) WHERE left_at IS NULL DO NOTHING
  RETURNING segment_id, contact_id
), gone AS (
  UPDATE segments_membership membership SET left_at = %(now)s FROM pair_now
  WHERE membership.id = pair_now.membership_id AND NOT pair_now.truth AND membership.left_at IS NULL
  RETURNING membership.segment_id, membership.contact_id
), checked AS (
  INSERT INTO segments_flipcheck (organization_id, segment_id, contact_id, flips_at)
  SELECT %(organization)s, segment_id, contact_id, flips_at FROM pair_now
  WHERE flips_at IS NOT NULL AND (check_at IS NULL OR check_at > flips_at OR check_at <= %(now)s)
  ON CONFLICT (segment_id, contact_id) DO UPDATE SET flips_at = excluded.flips_at
), unchecked AS (
  DELETE FROM segments_flipcheck flipcheck USING pair_now
  WHERE flipcheck.segment_id = pair_now.segment_id AND flipcheck.contact_id = pair_now.contact_id
    AND pair_now.flips_at IS NULL AND pair_now.check_at IS NOT NULL
), changed AS (
  SELECT segment_id, contact_id, true AS is_in FROM entered UNION ALL SELECT segment_id, contact_id, false FROM gone
), counted AS (
  UPDATE segments_segment segment SET member_count = segment.member_count + step.change
  FROM (SELECT segment_id, sum(CASE WHEN is_in THEN 1 ELSE -1 END) AS change FROM changed GROUP BY segment_id) step
  WHERE segment.id = step.segment_id
)
SELECT segment_id, is_in, contact_id FROM changed ORDER BY segment_id, contact_id"""


@dataclass
class Change:
    """Who entered and left one segment."""

    entered: list[int] = field(default_factory=list)
    left: list[int] = field(default_factory=list)


def refresh(pairs: Iterable[Pair], happened: Collection[Pair] = ()) -> int:
    """Bring the membership of (segment, contact) pairs up to date; returns how many memberships changed.

    `happened` are further pairs, of contacts to whom nothing but events happened: those who stand in a segment
    that more events can only hold them in are passed over. Announces `MembershipChanged`. Pairs of unknown,
    static or inactive segments are ignored.
    """
    wanted: dict[int, set[int]] = defaultdict(set)
    for segment_id, contact_id in chain(pairs, happened):
        wanted[segment_id].add(contact_id)
    if not wanted:
        return 0
    with transaction.atomic():
        lock_refreshers()
        segments = _live(wanted)
        _note_rechecks({row.pk: wanted[row.pk] for row in segments if row.status == SegmentStatus.BUILDING})
        ready = [row for row in segments if row.status == SegmentStatus.READY]
        rules = _rules(ready)
        for segment_id, contact_id in _held(rules, happened):
            wanted[segment_id].discard(contact_id)
        layers = needs.layers({pk: rule for pk, rule in rules.items() if wanted[pk]})
        return sum(_refresh_block(rules, wanted) for layer in layers for rules in _blocks(layer, wanted))


def _held(rules: Mapping[int, Rule], happened: Collection[Pair]) -> set[Pair]:
    """Those of the pairs that are members and can only stay. Read under the lock: no other refresher is about.

    Plan: membership_by_contact.
    """
    growing = {segment_id for segment_id, rule in rules.items() if needs.only_grows(rule)}
    may_stay = {pair for pair in happened if pair[0] in growing}
    contact_ids = {contact_id for _, contact_id in may_stay}
    inside = Membership.objects.filter(contact__in=contact_ids, segment__in=growing, left_at=None)
    return may_stay & set(inside.values_list("segment_id", "contact_id")) if may_stay else set()


def lock_refreshers() -> None:
    """Wait until no other refresher of this organisation is about; held until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('segments.refresh', %s))", [tenancy.required()])


def _live(wanted: Mapping[int, Any]) -> list[Segment]:
    rows = Segment.objects.filter(pk__in=list(wanted), kind=SegmentKind.DYNAMIC, is_active=True)
    return list(rows.only("status", "version_number").order_by("pk"))


def _rules(segments: Sequence[Segment]) -> dict[int, Rule]:
    """The rules of these segments by id; read again only where the segment or the catalogue has changed."""
    fresh = catalogue.load()
    known = _settled(fresh)
    if len(_read) > MOST_READ:
        _read.clear()
    stale = [row.pk for row in segments if not _is_read(row, known)]
    raw = dict(Segment.objects.filter(pk__in=stale).values_list("pk", "rule")) if stale else {}
    rules = {}
    for segment in segments:
        try:
            if segment.pk in raw:
                # With the fresh one: segments and topics that came since are no reason to read all rules again.
                rule = parser.parse(raw[segment.pk], fresh, is_stored=True)
                _read[segment.pk] = (segment.version_number, known, rule)
            rules[segment.pk] = _read[segment.pk][2]
        except Invalid as error:
            # Written by an older release: the segment stands still and says so; others go on.
            logger.error("The rule of segment %s cannot be read: %s", segment.pk, error)
            Segment.objects.filter(pk=segment.pk).update(status=SegmentStatus.FAILED, error=str(error))
    return rules


def _settled(known: Catalogue) -> Catalogue:
    """The very object of last time when nothing was learned since."""
    before = _known.get(tenancy.required())
    if before == known:
        return before
    _known[tenancy.required()] = known
    return known


def _is_read(segment: Segment, known: Catalogue) -> bool:
    read = _read.get(segment.pk)
    return read is not None and read[0] == segment.version_number and read[1] is known


def _blocks(rules: Mapping[int, Rule], wanted: Mapping[int, set[int]]) -> Iterable[dict[int, Rule]]:
    """Segments in blocks that together have a bounded number of pairs."""
    block: dict[int, Rule] = {}
    size = 0
    for segment_id, rule in rules.items():
        if block and (size + len(wanted[segment_id]) > PAIR_BLOCK or len(block) >= 100):
            yield block
            block, size = {}, 0
        block[segment_id] = rule
        size += len(wanted[segment_id])
    if block:
        yield block


def _refresh_block(rules: Mapping[int, Rule], wanted: Mapping[int, set[int]]) -> int:
    now = clock.now()
    segment_ids = [segment_id for segment_id in rules for _ in wanted[segment_id]]
    contact_ids = [contact_id for segment_id in rules for contact_id in wanted[segment_id]]
    query = compiler.few(rules, segment_ids, contact_ids, tenancy.required(), now)
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL jit = off")  # compiling the plan would take longer than running it
        cursor.execute(query.sql + APPLY_SQL, query.parameters)
        rows = cursor.fetchall()
    changes: dict[int, Change] = defaultdict(Change)
    for segment_id, is_in, contact_id in rows:
        side = changes[segment_id].entered if is_in else changes[segment_id].left
        side.append(contact_id)
    outbox.publish(*(notice for pk, change in changes.items() for notice in _notices(pk, change)))
    return len(rows)


def announce(segment_id: int, entered: list[int], left: list[int]) -> None:
    """Publish one segment's changes, from outside the refreshers' lock."""
    outbox.publish(*_notices(segment_id, Change(entered, left)), to_all=True)


def _notices(segment_id: int, change: Change) -> list[MembershipChanged]:
    """A change in blocks of readable size."""
    now = clock.now()
    starts = range(0, max(len(change.entered), len(change.left)), NOTICE_BLOCK)
    return [
        MembershipChanged(
            segment_id, now, change.entered[start : start + NOTICE_BLOCK], change.left[start : start + NOTICE_BLOCK]
        )
        for start in starts
    ]


def _note_rechecks(building: Mapping[int, set[int]]) -> None:
    rows = [
        Recheck(segment_id=segment_id, contact_id=contact_id)
        for segment_id, contact_ids in building.items()
        for contact_id in sorted(contact_ids)
    ]
    if rows:
        Recheck.objects.bulk_create(rows, batch_size=5_000)
        doorbell.ring("flips")
