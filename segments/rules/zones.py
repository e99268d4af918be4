"""Which time zone a contact lives in, as SQL that no name can break.

`AT TIME ZONE 'Mars/Base'` raises, so a name is compared with the list of zones first. The list is bound as one
constant array, which PostgreSQL hashes: 0.1 µs a row, where pg_input_is_valid takes 5 µs (measured, PostgreSQL 18).
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from django.db import connection

from accounts.models import Organization
from segments.rules.parameters import ORGANIZATION, Parameters

# For properties of events, which have no contact beside them. Checked when it is written (accounts.services); the
# guard is for a server that knows fewer zones than Python.
HOME = f"""(SELECT CASE WHEN pg_input_is_valid('2000-01-01 00:00 ' || nullif(place.timezone, ''), 'timestamptz')
  THEN place.timezone ELSE 'UTC' END FROM accounts_organization place WHERE place.id = {ORGANIZATION})"""


def zone_of(contact: str, parameters: Parameters) -> str:
    """The zone of the row `contact`: its own when there is such a zone, else its organisation's.

    Both are constants of the statement: a subselect in their place would keep full builds from parallel workers.
    """
    known = parameters.bind_once("zones", known_zones(), "text[]")
    home = parameters.bind_once("home", home_of(parameters), "text")
    return f"CASE WHEN {contact}.timezone = ANY({known}) THEN {contact}.timezone ELSE {home} END"


def home_of(parameters: Parameters) -> str:
    """The organisation's zone; asked for once per statement."""
    if "home" not in parameters.values:
        parameters.values["home"] = name_of(parameters.values["organization"])
    name: str = parameters.values["home"]
    return name


def name_of(organization_id: int) -> str:
    """An organisation's zone, UTC when it has none that exists."""
    name = Organization.objects.values_list("timezone", flat=True).get(pk=organization_id)
    return name if name in known_zones() else "UTC"


def first_moment(day: date, zone: str) -> datetime | None:
    """When a day begins in a zone, in UTC; None when that lies outside of the years that Python knows.

    A midnight that exists twice is its first, and one that does not exist is the moment after the gap: true of every
    zone and day since 1970, in which no gap begins before midnight and ends after it.
    """
    try:
        return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)
    except OverflowError:
        return None


@cache
def known_zones() -> list[str]:
    """Names that both Python and the database server know; asked once per process (15 ms)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pg_timezone_names")
        names = {row[0] for row in cursor.fetchall()}
    return sorted(names & available_timezones())
