"""Some thousand people by chance, the same for a while: of everybody, or of a segment.

Ids are chosen by reading the index of all of them where that is quick (30 ms), else by drawing numbers.
"""

from __future__ import annotations

import random
from contextlib import suppress
from dataclasses import dataclass, field
from math import ceil
from typing import Any

from django.core.cache import cache
from django.db import connection
from redis import RedisError

from audience.models import Contact
from common import tenancy
from segments.models import Segment

# Of so many, a share of one half is known to ± 1.8 points and a share of 1 % to ± 0.4.
SAMPLE = 3_000
READ_WHOLE = 100_000
MOST_DRAWS = 100_000
SAMPLE_SECONDS = 300

# Plans: index-only on contact_living, and on one_open_membership.
EVERYBODY = (
    "SELECT id FROM (SELECT id FROM audience_contact "
    "WHERE organization_id = %(organization)s AND merged_into_id IS NULL) of_all WHERE true "
)
MEMBERS = (
    "SELECT id FROM (SELECT contact_id AS id FROM segments_membership WHERE segment_id = %(segment)s "
    "AND left_at IS NULL AND organization_id = %(organization)s) of_all WHERE true "
)


@dataclass(frozen=True)
class Sample:
    """Ids in no order, and of how many they are drawn. All of them where there are no more than SAMPLE."""

    population: int
    ids: list[int]

    @property
    def is_whole(self) -> bool:
        return len(self.ids) >= self.population


@dataclass(frozen=True)
class _Source:
    sql: str
    parameters: dict[str, Any] = field(default_factory=dict)

    def ids(self, rest: str, **values: Any) -> list[int]:
        with tenancy.engine(), connection.cursor() as cursor:
            cursor.execute(self.sql + rest, {"organization": tenancy.required(), **self.parameters, **values})
            return [row[0] for row in cursor.fetchall()]


def everybody() -> Sample:
    """Living contacts. Kept for a while, without Redis drawn each time; who has few sees the newest at once."""
    key = f"segments:{tenancy.required()}:sample"
    with suppress(RedisError):
        if (kept := cache.get(key)) is not None:
            return Sample(*kept)
    found = _drawn(_Source(EVERYBODY), population())
    if found.population > SAMPLE:
        with suppress(RedisError):
            cache.set(key, (found.population, found.ids), SAMPLE_SECONDS)
    return found


def members(segment: Segment, most: int | None = None) -> Sample:
    """Of those who stand in a segment now; at most `most`, SAMPLE unless told."""
    return _drawn(_Source(MEMBERS, {"segment": segment.pk}), segment.member_count, most)


def population() -> int:
    """How many living contacts there are."""
    # Plan: index-only on contact_living; 60 ms at 1 million.
    return Contact.objects.filter(merged_into=None).count()


def _drawn(source: _Source, size: int, most: int | None = None) -> Sample:
    wanted = SAMPLE if most is None else most
    if size <= READ_WHOLE:
        # The first by hash: the same people every time.
        return Sample(size, source.ids("ORDER BY hashint8extended(id, 0) LIMIT %(wanted)s", wanted=wanted))
    return Sample(size, _numbers(source, size, wanted))


def _numbers(source: _Source, size: int, wanted: int) -> list[int]:
    """Draw numbers between the first and the last id and keep those that exist: no gap makes anybody likelier.

    Plan: two ends of the index, then one index-only probe per number.
    """
    ends = [source.ids(f"ORDER BY id {way} LIMIT 1") for way in ("ASC", "DESC")]
    if not all(ends):
        return []
    first, last = ends[0][0], ends[1][0]
    span = last - first + 1
    draws = min(span, MOST_DRAWS, ceil(1.1 * wanted * span / size))
    chance = random.Random(tenancy.required())  # noqa: S311 — a lottery, no secret
    numbers = chance.sample(range(first, last + 1), draws)
    found = set(source.ids("AND id = ANY(%(numbers)s::bigint[])", numbers=numbers))
    return [number for number in numbers if number in found][:wanted]
