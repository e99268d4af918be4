"""What a segment is made of, beside everybody: countries, cities, statuses, plans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot
from typing import Any

from django.db import connection, transaction

from audience.models import AttributeDefinition
from common import tenancy
from segments import samples
from segments.domain.intervals import wilson
from segments.models import Segment
from segments.rules.catalogue import CUSTOM, label
from segments.rules.operands import column_of
from segments.rules.parameters import Parameters
from segments.samples import Sample

FIELDS = ("country", "region", "city", "status", "source", "locale")
PLAN_LIKE = ("text", "boolean")
MOST_ATTRIBUTES, MOST_DIFFERENT, MOST_VALUES = 12, 30, 8
SAMPLED_CONTACTS = 2_000
SAMPLED_ABOVE = 50_000

# Which attributes are plan-like: few different values among the youngest contacts. Plan: contact_living.
ATTRIBUTES_SQL = """
SELECT pair.key FROM (
  SELECT attributes FROM audience_contact WHERE organization_id = %(organization)s AND merged_into_id IS NULL
  ORDER BY id DESC LIMIT %(sampled)s) contact
CROSS JOIN LATERAL jsonb_each_text(contact.attributes) pair
WHERE pair.key = ANY(%(names)s::text[]) GROUP BY pair.key
HAVING count(DISTINCT pair.value) BETWEEN 1 AND %(most)s ORDER BY count(*) DESC, pair.key LIMIT %(limit)s"""
# Plan: one read of everybody, joined by hash to the open memberships.
EVERYBODY_SQL = """
  FROM audience_contact contact
  LEFT JOIN segments_membership member ON member.segment_id = %(segment)s AND member.left_at IS NULL
    AND member.organization_id = %(organization)s AND member.contact_id = contact.id
  CROSS JOIN LATERAL (SELECT true AS of_all, member.contact_id IS NOT NULL AS of_members) drawn"""
# Plan: some thousand probes of the primary key.
SAMPLED_SQL = """
  FROM (SELECT id, bool_or(of_all) AS of_all, bool_or(of_members) AS of_members FROM (
      SELECT unnest(%(everybody)s::bigint[]) AS id, true AS of_all, false AS of_members
      UNION ALL SELECT unnest(%(members)s::bigint[]), false, true) both_samples GROUP BY id) drawn
  JOIN audience_contact contact ON contact.id = drawn.id"""
COUNTED_SQL = """
WITH counted AS (
  SELECT field.number, field.value, count(*) FILTER (WHERE drawn.of_all) AS everybody,
    count(*) FILTER (WHERE drawn.of_members) AS inside
  {contacts}
  CROSS JOIN LATERAL (VALUES {fields}) field(number, value)
  WHERE contact.organization_id = %(organization)s AND contact.merged_into_id IS NULL
  GROUP BY 1, 2
), ranked AS (
  SELECT *, row_number() OVER (PARTITION BY number ORDER BY inside DESC, everybody DESC, value) AS place,
    sum(inside) OVER (PARTITION BY number) AS inside_all, sum(everybody) OVER (PARTITION BY number) AS everybody_all
  FROM counted)
SELECT number, value, inside, everybody, inside_all, everybody_all FROM ranked
WHERE place <= %(values)s ORDER BY number, place"""


@dataclass(frozen=True)
class Part:
    """One value of a field ("" where it is not set): how many members and how many of everybody have it.

    Of a sample the numbers are estimates, and each share lies within its error of the true one (95 %).
    """

    value: str
    inside: int
    everybody: int
    inside_share: float
    everybody_share: float
    inside_error: float = 0.0
    everybody_error: float = 0.0

    @property
    def difference(self) -> float:
        """Share among members minus share among everybody."""
        return self.inside_share - self.everybody_share

    @property
    def difference_error(self) -> float:
        """The error of the difference of two samples that know nothing of each other."""
        return hypot(self.inside_error, self.everybody_error)


@dataclass(frozen=True)
class Composition:
    """One field, its most frequent values among the members first; `sampled` members were looked at."""

    field: str
    label: str
    parts: list[Part]
    is_exact: bool = True
    sampled: int = 0

    @property
    def error(self) -> float:
        """The largest error of a share among the members, 0 to 1."""
        return max(part.inside_error for part in self.parts)


@dataclass(frozen=True)
class _Samples:
    everybody: Sample
    members: Sample


def composition(segment: Segment, *, is_exact: bool = False) -> list[Composition]:
    """What the members are like; fields in which nobody at all has a value are left out.

    Among more than SAMPLED_ABOVE contacts the answer is drawn from a sample unless it is asked for exactly
    (5 to 8 s for a million).
    """
    everybody = None if is_exact else samples.everybody()
    drawn = None
    if everybody is not None and everybody.population > SAMPLED_ABOVE:
        drawn = _Samples(everybody, samples.members(segment))
    names = [*FIELDS, *_plan_like()]
    parts: dict[int, list[Part]] = {}
    sampled = 0
    for number, *counted in _counted(segment, names, drawn):
        parts.setdefault(number, []).append(_part(counted, drawn))
        sampled = int(counted[3])
    return [
        Composition(names[number], label(names[number]), found, drawn is None, sampled)
        for number, found in sorted(parts.items())
        if any(part.value for part in found)
    ]


def _counted(segment: Segment, names: list[str], drawn: _Samples | None) -> list[Any]:
    """Rows of number of the field, value, and how many have it: members, everybody; and of how many of each."""
    parameters = Parameters(organization=tenancy.required(), segment=segment.pk, values=MOST_VALUES)
    if drawn is not None:
        parameters.values |= {"everybody": drawn.everybody.ids, "members": drawn.members.ids}
    fields = ", ".join(f"({number}, {_text(name, parameters)})" for number, name in enumerate(names))
    contacts = EVERYBODY_SQL if drawn is None else SAMPLED_SQL
    with transaction.atomic(), tenancy.engine(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL work_mem = '64MB'")
        cursor.execute("SET LOCAL jit = off")
        cursor.execute(COUNTED_SQL.format(contacts=contacts, fields=fields), parameters.values)
        return cursor.fetchall()


def _part(counted: Sequence[Any], drawn: _Samples | None) -> Part:
    value = counted[0] or ""
    inside, everybody, inside_all, everybody_all = map(int, counted[1:])
    shares = _share(inside, inside_all), _share(everybody, everybody_all)
    if drawn is None:
        return Part(value, inside, everybody, *shares)
    counts = round(shares[0] * drawn.members.population), round(shares[1] * drawn.everybody.population)
    errors = (
        _error(inside, inside_all, drawn.members.population),
        _error(everybody, everybody_all, drawn.everybody.population),
    )
    return Part(value, *counts, *shares, *errors)


def _error(hits: int, sampled: int, population: int) -> float:
    low, high = wilson(hits, sampled, population)
    return (high - low) / 2


def _plan_like() -> list[str]:
    known = list(AttributeDefinition.objects.filter(type__in=PLAN_LIKE).values_list("name", flat=True))
    parameters: dict[str, Any] = {
        "organization": tenancy.required(), "sampled": SAMPLED_CONTACTS, "names": known,
        "most": MOST_DIFFERENT, "limit": MOST_ATTRIBUTES,
    }  # fmt: skip
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(ATTRIBUTES_SQL, parameters)
        return [f"{CUSTOM}{row[0]}" for row in cursor.fetchall()]


def _text(name: str, parameters: Parameters) -> str:
    """A field as text, NULL where it is not set."""
    if name.startswith(CUSTOM):
        return f"nullif(contact.attributes ->> {parameters.bind(name.removeprefix(CUSTOM), 'text')}, '')"
    return f"nullif(contact.{column_of(name)}, '')"


def _share(part: int, whole: int) -> float:
    return float(part) / float(whole) if whole else 0.0
