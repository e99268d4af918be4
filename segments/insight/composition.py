"""What a segment is made of, beside everybody: countries, cities, statuses, plans."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from audience.models import AttributeDefinition
from common import tenancy
from segments.models import Segment
from segments.rules.catalogue import CUSTOM, label
from segments.rules.operands import column_of
from segments.rules.parameters import Parameters

FIELDS = ("country", "region", "city", "status", "source", "locale")
PLAN_LIKE = ("text", "boolean")
MOST_ATTRIBUTES, MOST_DIFFERENT, MOST_VALUES = 12, 30, 8
SAMPLED_CONTACTS = 2_000

# Which attributes are plan-like: few different values among the youngest contacts. Plan: contact_living.
ATTRIBUTES_SQL = """
SELECT pair.key FROM (
  SELECT attributes FROM audience_contact WHERE organization_id = %(organization)s AND merged_into_id IS NULL
  ORDER BY id DESC LIMIT %(sampled)s) contact
CROSS JOIN LATERAL jsonb_each_text(contact.attributes) pair
WHERE pair.key = ANY(%(names)s::text[]) GROUP BY pair.key
HAVING count(DISTINCT pair.value) BETWEEN 1 AND %(most)s ORDER BY count(*) DESC, pair.key LIMIT %(limit)s"""
# Plan: one read of everybody, joined by hash to the open memberships, counted in one aggregate.
COUNTED_SQL = """
WITH counted AS (
  SELECT field.number, field.value, count(*) AS everybody, count(member.contact_id) AS inside
  FROM audience_contact contact
  LEFT JOIN segments_membership member ON member.segment_id = %(segment)s AND member.left_at IS NULL
    AND member.organization_id = %(organization)s AND member.contact_id = contact.id
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
    """One value of a field ("" where it is not set): how many members and how many of everybody have it."""

    value: str
    inside: int
    everybody: int
    inside_share: float
    everybody_share: float

    @property
    def difference(self) -> float:
        """Share among members minus share among everybody."""
        return self.inside_share - self.everybody_share


@dataclass(frozen=True)
class Composition:
    """One field, its most frequent values among the members first."""

    field: str
    label: str
    parts: list[Part]


def composition(segment: Segment) -> list[Composition]:
    """What the members are like; fields in which nobody at all has a value are left out."""
    names = [*FIELDS, *_plan_like()]
    parameters = Parameters(organization=tenancy.required(), segment=segment.pk, values=MOST_VALUES)
    fields = ", ".join(f"({number}, {_text(name, parameters)})" for number, name in enumerate(names))
    with transaction.atomic(), tenancy.engine(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL work_mem = '64MB'")
        cursor.execute("SET LOCAL jit = off")
        cursor.execute(COUNTED_SQL.format(fields=fields), parameters.values)
        rows = cursor.fetchall()
    parts: dict[int, list[Part]] = {}
    for number, value, inside, everybody, inside_all, everybody_all in rows:
        shares = _share(inside, inside_all), _share(everybody, everybody_all)
        parts.setdefault(number, []).append(Part(value or "", inside, everybody, *shares))
    return [
        Composition(names[number], label(names[number]), found)
        for number, found in sorted(parts.items())
        if any(part.value for part in found)
    ]


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
