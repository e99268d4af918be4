"""How up to five segments overlap: who stands in exactly these and none of the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from audience.models import Contact
from common import tenancy
from common.errors import Invalid
from segments import selectors
from segments.models import Segment

MOST_SEGMENTS = 5
PAGE_SIZE = 50

# Plan: one read of the open memberships of all sets (one_open_membership), one hash of their contacts.
CELLS_SQL = """
SELECT mask, count(*) FROM (
  SELECT bit_or(wanted.bit) AS mask FROM unnest(%(segments)s::bigint[], %(bits)s::int[]) wanted(segment_id, bit)
  JOIN segments_membership membership ON membership.segment_id = wanted.segment_id
    AND membership.organization_id = %(organization)s AND membership.left_at IS NULL
  GROUP BY membership.contact_id) contact
GROUP BY mask ORDER BY 2 DESC, 1"""
# Plan: the first set by one_open_membership from the cursor on, with a probe of the same index for each other set.
CELL_SQL = """
SELECT membership.contact_id FROM segments_membership membership
WHERE membership.organization_id = %(organization)s AND membership.segment_id = %(first)s
  AND membership.left_at IS NULL AND membership.contact_id < %(before)s{others}
ORDER BY membership.contact_id DESC LIMIT %(limit)s"""
OTHER_SQL = """
  AND {negation}EXISTS (SELECT 1 FROM segments_membership other WHERE other.segment_id = {segment}
    AND other.contact_id = membership.contact_id AND other.left_at IS NULL)"""


@dataclass(frozen=True)
class Cell:
    """How many stand in exactly `segments`; bit n of `mask` is the nth segment asked for."""

    mask: int
    count: int
    segments: list[Segment]


@dataclass(frozen=True)
class Overlap:
    """Cells by size, the largest first; empty ones are left out."""

    segments: list[Segment]
    cells: list[Cell]

    @property
    def contact_count(self) -> int:
        return sum(cell.count for cell in self.cells)

    def size(self, place: int) -> int:
        """How many stand in the nth segment."""
        return sum(cell.count for cell in self.cells if cell.mask & 1 << place)

    def shared(self, place: int, other: int) -> int:
        """How many stand in both."""
        both = 1 << place | 1 << other
        return sum(cell.count for cell in self.cells if cell.mask & both == both)


def chosen(segment: Segment, references: Sequence[str]) -> list[Segment]:
    """The segment and those it is compared with, each once. Raises `NotFound`, and `Invalid` for too many."""
    found = {segment.pk: segment}
    for reference in references:
        other = selectors.find(reference)
        found.setdefault(other.pk, other)
    if len(found) > MOST_SEGMENTS:
        sentence = f"At most {MOST_SEGMENTS - 1} others."
        raise Invalid(f"At most {MOST_SEGMENTS} segments can be compared at once.", details={"with": sentence})
    return list(found.values())


def overlap(segments: Sequence[Segment]) -> Overlap:
    """Every combination of the segments in which somebody stands, in one statement."""
    bits = [1 << place for place in range(len(segments))]
    segment_ids = [row.pk for row in segments]
    parameters: dict[str, Any] = {"organization": tenancy.required(), "segments": segment_ids, "bits": bits}
    with transaction.atomic(), tenancy.engine(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL work_mem = '64MB'")
        cursor.execute(CELLS_SQL, parameters)
        rows = cursor.fetchall()
    cells = [Cell(mask, count, within(mask, segments)) for mask, count in rows]
    return Overlap(list(segments), cells)


def within(mask: int, segments: Sequence[Segment]) -> list[Segment]:
    """The segments whose bit is set."""
    return [segment for place, segment in enumerate(segments) if mask & 1 << place]


def contacts(segments: Sequence[Segment], mask: int, before: int | None = None) -> tuple[list[Contact], int | None]:
    """The people of one cell, the youngest contact first, and where the next page starts.

    Raises `Invalid` for a mask that names none of the segments.
    """
    inside = within(mask, segments)
    if not inside or mask >= 1 << len(segments):
        raise Invalid("There is no such part of this comparison.", details={"cell": "Take it from the comparison."})
    first, *rest = inside
    parameters: dict[str, Any] = {
        "organization": tenancy.required(), "first": first.pk, "before": before or 2**63 - 1, "limit": PAGE_SIZE + 1,
    }  # fmt: skip
    others = ""
    for place, segment in enumerate(segments):
        if segment.pk != first.pk:
            parameters[f"segment{place}"] = segment.pk
            negation = "" if segment in rest else "NOT "
            others += OTHER_SQL.format(negation=negation, segment=f"%(segment{place})s")
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(CELL_SQL.format(others=others), parameters)
        ids = [row[0] for row in cursor.fetchall()]
    rows = Contact.objects.in_bulk(ids[:PAGE_SIZE])
    found = [rows[pk] for pk in ids[:PAGE_SIZE] if pk in rows]
    return found, ids[PAGE_SIZE - 1] if len(ids) > PAGE_SIZE else None
