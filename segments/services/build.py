"""Full builds in the background: the rule over everybody, then the difference to what stands.

While a segment is being built its old membership serves, and refreshers leave it alone and note who changed.
The evaluation starts only after every refresher that still saw the segment as ready has committed, so what it
does not see is noted.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from django.db import IntegrityError, OperationalError, connection, transaction
from psycopg.errors import QueryCanceled

from common import clock, doorbell, tenancy
from common.errors import Conflict
from segments.models import Segment, SegmentDependency, SegmentKind, SegmentStatus
from segments.rules import compiler, parse_stored
from segments.rules.tree import Rule
from segments.services import progress, refresh

logger = logging.getLogger(__name__)

_Asked = tuple[int, int, int]

# One large statement: memory for its hashes; workers wherever a scan is long, also when many rows come out of it
# (the usual costs say that handing a row over is ten times reading it); and a small sample of what was found.
FOR_BULK_SQL = """
SET LOCAL work_mem = '128MB';
SET LOCAL parallel_setup_cost = 100;
SET LOCAL parallel_tuple_cost = 0.01;
SET LOCAL default_statistics_target = 10;
SET LOCAL jit = off"""

# Everything happens to one temporary table. It may be filled by parallel workers, which an INSERT may not.
# Rows are written in the order of the indexes they go into, so that neighbours share a page.
# `members` and `checks` are this segment's rows by their unique indexes; identifiers are ours, values bound.
EVALUATE_SQL = "CREATE TEMPORARY TABLE built ON COMMIT DROP AS {select}"
ENTER_SQL = """
WITH entered AS (
  INSERT INTO segments_membership (organization_id, segment_id, contact_id, entered_at)
  SELECT %(organization)s, %(segment)s, built.contact_id, %(now)s FROM built
  WHERE built.truth AND NOT EXISTS (
    SELECT 1 FROM segments_membership open WHERE open.segment_id = %(segment)s
      AND open.contact_id = built.contact_id AND open.left_at IS NULL)
  ORDER BY built.contact_id
  RETURNING contact_id)
SELECT array_agg(contact_id) FROM (SELECT contact_id, row_number() OVER () / %(block)s AS block FROM entered) numbered
GROUP BY block"""
LEAVE_SQL = """
WITH gone AS (
  UPDATE segments_membership membership SET left_at = %(now)s
  WHERE membership.segment_id = %(segment)s AND membership.left_at IS NULL
    AND NOT EXISTS (SELECT 1 FROM built WHERE built.contact_id = membership.contact_id AND built.truth)
  RETURNING contact_id)
SELECT array_agg(contact_id) FROM (SELECT contact_id, row_number() OVER () / %(block)s AS block FROM gone) numbered
GROUP BY block"""
UNCHECK_SQL = """
DELETE FROM segments_flipcheck flipcheck
WHERE flipcheck.segment_id = %(segment)s
  AND NOT EXISTS (SELECT 1 FROM built WHERE built.contact_id = flipcheck.contact_id AND built.flips_at IS NOT NULL)"""
MOVE_SQL = """
UPDATE segments_flipcheck flipcheck SET flips_at = built.flips_at FROM built
WHERE flipcheck.segment_id = %(segment)s AND flipcheck.contact_id = built.contact_id
  AND flipcheck.flips_at <> built.flips_at"""
CHECK_SQL = """
INSERT INTO segments_flipcheck (organization_id, segment_id, contact_id, flips_at)
SELECT %(organization)s, %(segment)s, contact_id, flips_at FROM built
WHERE flips_at IS NOT NULL AND NOT EXISTS (
  SELECT 1 FROM segments_flipcheck known WHERE known.segment_id = %(segment)s
    AND known.contact_id = built.contact_id)
ORDER BY contact_id"""
SETTLE_SQL = """
UPDATE segments_segment SET status = 'ready', error = '', built_at = %(now)s,
  member_count = (SELECT count(*) FROM built WHERE truth)
  , built_version = %(version)s, build_seconds = extract(epoch FROM clock_timestamp() - transaction_timestamp())
WHERE id = %(segment)s"""


def run(organization_id: int) -> int:
    """WORK `segment_builds`: build every active segment that waits for it; returns how many were built."""
    built = 0
    with tenancy.organization(organization_id):
        seen: set[_Asked] = set()
        while (segment := _next(seen)) is not None:
            seen.add(_asked(segment))
            built += _try(segment)
    return built


def rebuild(segment_id: int) -> None:
    """Build one dynamic segment here and now, waiting for a build that is under way. Not inside a transaction.

    Raises `Segment.DoesNotExist`, and `Conflict` for a static segment or when the rule was edited meanwhile.
    """
    segment = Segment.objects.get(pk=segment_id)
    if segment.kind != SegmentKind.DYNAMIC:
        raise Conflict("A static segment has no rule to build from; add and remove its contacts instead.")
    if not _build(segment, waits=True):
        raise Conflict("It changed while it was built; it is built again in the background.")


def organizations_due() -> list[int]:
    return doorbell.organizations_with("segments_segment", "status = 'building' AND kind = 'dynamic' AND is_active")


def _asked(segment: Segment) -> _Asked:
    """What is to be built: another version, or the same seen anew, is another thing."""
    return segment.pk, segment.version_number, segment.asked_count


def _next(seen: set[_Asked]) -> Segment | None:
    """Those that others refer to go first, so that nobody enters "not in VIP" before VIP is there."""
    waiting = Segment.objects.filter(status=SegmentStatus.BUILDING, kind=SegmentKind.DYNAMIC, is_active=True)
    rows = [row for row in waiting.order_by("pk") if _asked(row) not in seen]
    dependencies = SegmentDependency.objects.filter(segment__in=rows, needed__in=rows)
    held = set(dependencies.values_list("segment_id", flat=True)) if len(rows) > 1 else set()
    return min(rows, key=lambda row: (row.pk in held, row.pk), default=None)


def _try(segment: Segment) -> int:
    try:
        return int(_build(segment))
    except (OperationalError, IntegrityError) as error:
        if isinstance(error.__cause__, QueryCanceled):
            logger.info("The build of segment %s was stopped.", segment.pk)
            return 0
        raise  # the server went away, or somebody wrote beside us: the sweep rings again
    except Exception as error:
        logger.error("Segment %s could not be built", segment.pk, exc_info=error)
        Segment.objects.filter(pk=segment.pk, version_number=segment.version_number).update(
            status=SegmentStatus.FAILED, error=str(error)[:2000]
        )
        return 0


def _build(segment: Segment, *, waits: bool = False) -> bool:
    """False when another worker is at it, or it was edited or asked for meanwhile and must be built again."""
    Segment.objects.filter(pk=segment.pk).update(status=SegmentStatus.BUILDING)
    with transaction.atomic():
        refresh.lock_refreshers()  # and let go at once: those that saw the segment as ready have committed
    with transaction.atomic():
        if not _claim(segment.pk, waits=waits):
            return False
        segment.refresh_from_db()
        rule = parse_stored(segment.rule)
        try:
            with tenancy.engine(), connection.cursor() as cursor:
                entered, left = _evaluate_and_write(cursor, segment, rule)
        finally:
            progress.clear(segment.pk)
        if _edited_since(segment):
            transaction.set_rollback(True)
            return False
        _announce(segment.pk, entered, left)
        doorbell.ring("flips")  # for those who changed while we were building
    return True


def _claim(segment_id: int, *, waits: bool) -> bool:
    lock = "pg_advisory_xact_lock" if waits else "pg_try_advisory_xact_lock"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {lock}({progress.LOCK_SQL})", [segment_id])
        return waits or bool(cursor.fetchone()[0])


def _evaluate_and_write(cursor: Any, segment: Segment, rule: Rule) -> tuple[list[list[int]], list[list[int]]]:
    """Returns who entered and who left, in blocks."""
    now = clock.now()
    values = {
        "organization": tenancy.required(), "segment": segment.pk, "now": now, "block": refresh.NOTICE_BLOCK,
        "version": segment.version_number,
    }  # fmt: skip
    progress.note(segment.pk, progress.EVALUATING, now)
    # Whoever was noted until now is seen by the evaluation, whose snapshot is younger.
    cursor.execute(
        "DELETE FROM segments_recheck WHERE organization_id = %(organization)s AND segment_id = %(segment)s", values
    )
    cursor.execute(FOR_BULK_SQL)
    query = compiler.everybody(rule, tenancy.required(), now)
    cursor.execute(EVALUATE_SQL.format(select=query.sql), query.parameters)
    progress.note(segment.pk, progress.WRITING, now)
    cursor.execute("ANALYZE built")
    cursor.execute(LEAVE_SQL, values)
    left = [row[0] for row in cursor.fetchall()]
    cursor.execute(ENTER_SQL, values)
    entered = [row[0] for row in cursor.fetchall()]
    for statement in (UNCHECK_SQL, MOVE_SQL, CHECK_SQL, SETTLE_SQL):
        cursor.execute(statement, values)
    cursor.execute("DROP TABLE built")  # a second build may follow in one transaction
    return entered, left


def _edited_since(segment: Segment) -> bool:
    """Whether its rule was edited, or something it depends on changed. Looks at the row under its lock: SETTLE_SQL
    has written it, so whoever asks now waits for the end of this build, finds it ready and has it built again."""
    as_it_was = Segment.objects.filter(
        pk=segment.pk, version_number=segment.version_number, asked_count=segment.asked_count, is_active=True
    )
    return not as_it_was.exists()


def _announce(segment_id: int, entered: Iterable[list[int]], left: Iterable[list[int]]) -> None:
    for block in left:
        refresh.announce(segment_id, [], block)
    for block in entered:
        refresh.announce(segment_id, block, [])
