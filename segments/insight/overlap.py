"""How up to five segments overlap: who stands in exactly these and none of the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from typing import Any

from django.db import connection, transaction

from audience.models import Contact
from common import tenancy
from common.errors import Invalid
from segments import samples, selectors
from segments.domain.intervals import NORMAL_95
from segments.models import Segment
from segments.samples import Sample

MOST_SEGMENTS = 5
# More memberships than this are told from so many members of each segment.
SAMPLED_ABOVE = 200_000
SAMPLE = 1_000
PAGE_SIZE = 50

# Plan: one read of the open memberships of all sets (one_open_membership), one hash of their contacts.
CELLS_SQL = """
SELECT mask, count(*) FROM (
  SELECT bit_or(wanted.bit) AS mask FROM unnest(%(segments)s::bigint[], %(bits)s::int[]) wanted(segment_id, bit)
  JOIN segments_membership membership ON membership.segment_id = wanted.segment_id
    AND membership.organization_id = %(organization)s AND membership.left_at IS NULL
  GROUP BY membership.contact_id) contact
GROUP BY mask ORDER BY 2 DESC, 1"""
# Plan: a probe of one_open_membership for each of some thousand contacts and each set.
MASKS_SQL = """
SELECT membership.contact_id, bit_or(wanted.bit)
FROM unnest(%(segments)s::bigint[], %(bits)s::int[]) wanted(segment_id, bit)
JOIN segments_membership membership ON membership.segment_id = wanted.segment_id
  AND membership.organization_id = %(organization)s AND membership.left_at IS NULL
  AND membership.contact_id = ANY(%(contacts)s::bigint[])
GROUP BY membership.contact_id"""
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
    """How many stand in exactly `segments`; bit n of `mask` is the nth segment asked for.

    Of a sample the true number is within `error`, in 95 of 100 cases.
    """

    mask: int
    count: int
    segments: list[Segment]
    error: int = 0


@dataclass(frozen=True)
class Overlap:
    """Cells by size, the largest first; empty ones are left out."""

    segments: list[Segment]
    cells: list[Cell]
    is_exact: bool = True

    @property
    def contact_count(self) -> int:
        return sum(cell.count for cell in self.cells)

    def size(self, place: int) -> int:
        """How many stand in the nth segment."""
        if not self.is_exact:
            return self.segments[place].member_count
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


def overlap(segments: Sequence[Segment], *, is_exact: bool = False) -> Overlap:
    """Every combination of the segments in which somebody stands, in one statement.

    Of large segments it is estimated from a sample unless it is asked for exactly; small combinations may be missed.
    """
    if not is_exact and sum(segment.member_count for segment in segments) > SAMPLED_ABOVE:
        return _estimated(segments)
    with transaction.atomic(), tenancy.engine(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL work_mem = '64MB'")
        cursor.execute(CELLS_SQL, _wanted(segments))
        rows = cursor.fetchall()
    cells = [Cell(mask, count, within(mask, segments)) for mask, count in rows]
    return Overlap(list(segments), cells)


def _wanted(segments: Sequence[Segment]) -> dict[str, Any]:
    bits = [1 << place for place in range(len(segments))]
    return {"organization": tenancy.required(), "segments": [row.pk for row in segments], "bits": bits}


def _estimated(segments: Sequence[Segment]) -> Overlap:
    """Members are drawn from each segment; who stands in several is likelier to be drawn, and counts for less
    (Horvitz & Thompson 1952): everybody in a combination has the same chance, the sum of its segments' shares."""
    drawn = [samples.members(segment, SAMPLE) for segment in segments]
    contacts = sorted({pk for sample in drawn for pk in sample.ids})
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(MASKS_SQL, _wanted(segments) | {"contacts": contacts})
        masks: dict[int, int] = dict(cursor.fetchall())
    hits = [Counter(masks[pk] for pk in sample.ids if pk in masks) for sample in drawn]
    cells = [_cell(mask, segments, drawn, hits) for mask in set(masks.values())]
    cells.sort(key=lambda cell: (-cell.count, cell.mask))
    return Overlap(list(segments), cells, is_exact=False)


def _cell(mask: int, segments: Sequence[Segment], drawn: Sequence[Sample], hits: Sequence[Counter[int]]) -> Cell:
    places = [place for place in range(len(segments)) if mask & 1 << place]
    shares = {place: len(drawn[place].ids) / max(1, drawn[place].population) for place in places}
    weight = 1 / sum(shares.values())
    spread = 0.0
    for place in places:
        size, found = len(drawn[place].ids), hits[place][mask]
        spread += found * (1 - found / size) * (1 - min(1.0, shares[place]))
    count = round(weight * sum(hits[place][mask] for place in places))
    return Cell(mask, count, within(mask, segments), ceil(NORMAL_95 * weight * sqrt(spread)))


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
