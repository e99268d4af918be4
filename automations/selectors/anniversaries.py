"""Whose date has come: moments by each contact's own clock, found in the database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from django.db import connection

from common import tenancy
from segments.rules.operands import Row, of_contact
from segments.rules.parameters import Parameters
from segments.rules.tree import Kind
from segments.rules.zones import zone_of

# A local day is at most this far from the day of the same moment in UTC.
A_DAY_AROUND = timedelta(days=2)

# Plan: one pass over the living contacts of the organisation (contact_living); only days that can hold the span are
# turned into moments. `AT TIME ZONE` moves a time that daylight saving skips behind the jump.
MOMENTS_SQL = """
WITH dated AS MATERIALIZED (
    SELECT contact.id, {zone} AS zone, {day} AS day FROM audience_contact AS contact
     WHERE contact.organization_id = %(organization)s AND contact.merged_into_id IS NULL
), turned AS (
    SELECT id, zone, (day + make_interval(years => year.passed))::date + %(offset)s AS day
      FROM dated CROSS JOIN LATERAL (
           SELECT passed FROM generate_series(
                  CASE WHEN %(yearly)s THEN greatest(0, %(first_year)s - extract(year FROM day)::int) ELSE 0 END,
                  CASE WHEN %(yearly)s THEN %(last_year)s - extract(year FROM day)::int ELSE 0 END) AS passed) AS year
     WHERE day BETWEEN '1000-01-01' AND '3000-01-01'
), moments AS (
    SELECT id, day, (day + %(at)s::time) AT TIME ZONE zone AS moment FROM turned
     WHERE day BETWEEN %(first_day)s AND %(last_day)s
)
"""
DUE_SQL = "SELECT id, day::text FROM moments WHERE moment > %(since)s AND moment <= %(until)s ORDER BY id, day"
FIRST_SQL = "SELECT min(moment) FROM moments WHERE moment > %(since)s AND moment <= %(until)s"


@dataclass(frozen=True)
class Anniversary:
    """A date of the contact, moved by days, at a time of day; with `yearly` in every later year too."""

    attribute: str
    offset_days: int
    at: time
    yearly: bool


@dataclass(frozen=True)
class Moment:
    """A contact and the day that has come, as ISO 8601."""

    contact_id: int
    day: str


def due(anniversary: Anniversary, since: datetime, until: datetime) -> list[Moment]:
    """Whose moment came after `since` and not after `until`."""
    return [Moment(*row) for row in _ask(DUE_SQL, anniversary, since, until)]


def first(anniversary: Anniversary, since: datetime, until: datetime) -> datetime | None:
    """The first moment of anybody in that span."""
    found: datetime | None = _ask(FIRST_SQL, anniversary, since, until)[0][0]
    return found


def _ask(select: str, anniversary: Anniversary, since: datetime, until: datetime) -> list[tuple[Any, ...]]:
    parameters = Parameters(organization=tenancy.required(), now=until)
    zone = zone_of("contact", parameters)
    day = of_contact(anniversary.attribute, Kind.DATE, parameters, Row("contact", zone)).day
    first_day, last_day = (since - A_DAY_AROUND).date(), (until + A_DAY_AROUND).date()
    around = timedelta(days=abs(anniversary.offset_days) + 1)
    parameters.values |= {
        "offset": anniversary.offset_days,
        "at": anniversary.at.isoformat(),
        "yearly": anniversary.yearly,
        "first_day": first_day,
        "last_day": last_day,
        "first_year": (first_day - around).year,
        "last_year": (last_day + around).year,
        "since": since,
        "until": until,
    }
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(MOMENTS_SQL.format(zone=zone, day=day) + select, parameters.values)
        return list(cursor.fetchall())
