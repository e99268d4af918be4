"""Where people are on the map: the densest surroundings, where contacts carry a latitude and a longitude."""

from __future__ import annotations

import math
from collections.abc import Iterator

from common import tenancy
from segments.patterns import leaves
from segments.patterns.facts import Facts
from segments.patterns.found import Found, Missing, Outcome, key_of
from segments.patterns.places import GROUP, PEOPLE_NEEDED
from segments.rules import catalogue
from segments.rules.conditions.near import EARTH_KILOMETERS, LATITUDE, LONGITUDE
from segments.rules.operands import of_contact
from segments.rules.parameters import Parameters
from segments.rules.tree import Kind

KILOMETERS = 25
SHOWN = 5
LOOKED_AT = 50

# Squares of half a degree, 55 km high: the middle of the people of a full one is the middle of a surrounding.
SQUARES_SQL = """
SELECT count(*), round(avg(latitude), 4)::float8, round(avg(longitude), 4)::float8,
       coalesce(mode() WITHIN GROUP (ORDER BY nullif(city, '')), '')
FROM (SELECT contact.city, {latitude} AS latitude, {longitude} AS longitude FROM audience_contact contact
      WHERE contact.organization_id = %(organization)s AND contact.merged_into_id IS NULL) person
WHERE abs(latitude) <= 90 AND abs(longitude) <= 180
GROUP BY floor(latitude * 2), floor(longitude * 2) HAVING count(*) >= %(needed)s
ORDER BY count(*) DESC, 2, 3 LIMIT %(looked_at)s"""


def surroundings(facts: Facts) -> Iterator[Outcome]:
    """People within KILOMETERS of where many are; nothing where contacts carry no coordinates."""
    known = catalogue.load()
    if known.kind_of(LATITUDE) is not Kind.NUMBER or known.kind_of(LONGITUDE) is not Kind.NUMBER:
        return
    parameters = Parameters(organization=tenancy.required(), now=facts.now)
    columns = {
        name: of_contact(field, Kind.NUMBER, parameters).sql
        for name, field in (("latitude", LATITUDE), ("longitude", LONGITUDE))
    }
    bound = parameters.values | {"needed": PEOPLE_NEEDED, "looked_at": LOOKED_AT}
    middles = _apart(facts.all(SQUARES_SQL.format(**columns), **bound))
    if not middles:
        sentence = f"Nowhere are {PEOPLE_NEEDED} contacts in one half degree of latitude and longitude."
        yield Missing("surroundings", GROUP, "Around one point", sentence)
    for count, latitude, longitude, city in middles[:SHOWN]:
        name = city or f"{latitude:.2f}, {longitude:.2f}"
        reason = (
            f"{count:,} people stand close together here, more than almost anywhere. The rule takes everybody within "
            f"{KILOMETERS} km of their middle, {latitude:.4f}, {longitude:.4f}."
        )
        place = {"latitude": latitude, "longitude": longitude, "kilometers": KILOMETERS}
        key = key_of("around", f"{latitude:.1f} {longitude:.1f}")
        yield Found(key, GROUP, f"Around {name}", reason, leaves.near(place), place | {"people": count})


def _apart(squares: list[tuple[int, float, float, str]]) -> list[tuple[int, float, float, str]]:
    """The fullest first, without those whose circle would cut into the circle of a fuller one."""
    kept: list[tuple[int, float, float, str]] = []
    for square in squares:
        if all(kilometers_between(square[1:3], other[1:3]) > 2 * KILOMETERS for other in kept):
            kept.append(square)
    return kept


def kilometers_between(one: tuple[float, float], other: tuple[float, float]) -> float:
    """The great-circle distance of two points in degrees (haversine)."""
    (north, east), (other_north, other_east) = (map(math.radians, point) for point in (one, other))
    squared = math.sin((other_north - north) / 2) ** 2
    squared += math.cos(north) * math.cos(other_north) * math.sin((other_east - east) / 2) ** 2
    return 2 * EARTH_KILOMETERS * math.asin(math.sqrt(min(1.0, squared)))
