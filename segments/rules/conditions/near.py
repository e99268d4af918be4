"""Distance from a place on the globe, over two number fields that hold degrees (haversine, mean radius)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from segments.rules import values
from segments.rules.catalogue import CUSTOM, Catalogue
from segments.rules.conditions.base import Condition, Misplaced, operator_of
from segments.rules.inputs import Input
from segments.rules.operands import Row, of_contact
from segments.rules.parameters import Parameters
from segments.rules.tree import Kind, NearRule
from segments.rules.values import Unfit, expected

OPERATORS = {"within": "is within", "outside": "is not within"}
LATITUDE, LONGITUDE = "attributes.latitude", "attributes.longitude"
PLACE = {"latitude": (-90, 90), "longitude": (-180, 180), "kilometers": (0, 20_100)}
EARTH_KILOMETERS = 6371.0088  # mean radius, IUGG
KILOMETERS_PER_DEGREE = 111  # a little less than a degree of latitude is anywhere: the box is never too small


def _read(raw: Mapping[str, Any], known: Catalogue, is_stored: bool) -> NearRule:
    operator = operator_of(raw, OPERATORS)
    place = raw["near"]
    if not isinstance(place, Mapping) or set(place) - set(PLACE):
        raise Misplaced("near", str(expected(", ".join(PLACE), place)))
    latitude, longitude, kilometers = (_number(place, key, *bounds) for key, bounds in PLACE.items())
    fields = [
        _field(raw, key, default, known, is_stored)
        for key, default in (("latitude_field", LATITUDE), ("longitude_field", LONGITUDE))
    ]
    return NearRule(latitude, longitude, kilometers, operator, *fields)


def _number(place: Mapping[str, Any], key: str, low: int, high: int) -> Decimal:
    try:
        number = values.read_number(place.get(key))
    except Unfit as problem:
        raise Misplaced(f"near.{key}", str(problem)) from problem
    if not low <= number <= high:
        raise Misplaced(f"near.{key}", str(expected(f"a number from {low} to {high:,}", place[key])))
    return number


def _field(raw: Mapping[str, Any], key: str, default: str, known: Catalogue, is_stored: bool) -> str:
    name = raw.get(key, default)
    if isinstance(name, str) and (known.kind_of(name) is Kind.NUMBER or (is_stored and name.startswith(CUSTOM))):
        return name
    place = key if key in raw else "near"
    raise Misplaced(place, f"there is no number field {values.shown(name)} with the {key.removesuffix('_field')}")


def _truth(rule: NearRule, row: Row, parameters: Parameters) -> str:
    """A degree of latitude has a least length: only contacts in that band need their distance worked out.

    Numbers that are no degrees are none: no place, and no overflow. No subselect: it would keep full builds from
    parallel workers.
    """
    latitude, longitude = (
        of_contact(name, Kind.NUMBER, parameters, row).sql for name in (rule.latitude_field, rule.longitude_field)
    )
    here_latitude, here_longitude, kilometers = (
        parameters.bind(float(number), "float8") for number in (rule.latitude, rule.longitude, rule.kilometers)
    )
    middle, reach = (
        parameters.bind(degrees, "numeric") for degrees in (rule.latitude, rule.kilometers / KILOMETERS_PER_DEGREE)
    )
    squared = (
        f"sin(radians(({latitude})::float8 - {here_latitude}) / 2) ^ 2 "
        f"+ cos(radians({here_latitude})) * cos(radians(({latitude})::float8)) "
        f"* sin(radians(({longitude})::float8 - {here_longitude}) / 2) ^ 2"
    )
    is_place = f"abs({latitude} - {middle}) <= {reach} AND abs({latitude}) <= 90 AND abs({longitude}) <= 180"
    distance = f"2 * {EARTH_KILOMETERS} * asin(sqrt(least(1, {squared})))"
    truth = f"coalesce(CASE WHEN {is_place} THEN {distance} <= {kilometers} END, false)"
    return f"NOT {truth}" if rule.operator == "outside" else truth


def _words(rule: NearRule) -> str:
    return f"the contact {OPERATORS[rule.operator]} {rule.kilometers:,} km of {rule.latitude}, {rule.longitude}"


def _inputs(known: Catalogue) -> tuple[Input, ...]:
    return (
        Input("near.latitude", "number", "Latitude"),
        Input("near.longitude", "number", "Longitude"),
        Input("near.kilometers", "number", "Kilometers", default=10),
        Input("latitude_field", "text", "Field of the latitude", is_required=False, default=LATITUDE),
        Input("longitude_field", "text", "Field of the longitude", is_required=False, default=LONGITUDE),
    )


def _fields(rule: NearRule) -> set[str]:
    return {rule.latitude_field, rule.longitude_field}


NEAR: Condition[NearRule] = Condition(
    "Distance",
    ("near", "operator", "latitude_field", "longitude_field"),
    OPERATORS,
    _inputs,
    _read,
    _truth,
    _words,
    _fields,
)
