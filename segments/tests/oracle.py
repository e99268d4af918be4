"""The rule language once more, naively, one person at a time, in plain Python. Tests hold the SQL against it.

Operators are in oracle_fields, behaviours in oracle_behaviours.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from segments.tests import oracle_behaviours, oracle_fields
from segments.tests.oracle_behaviours import HOME
from segments.tests.oracle_fields import Given

KINDS = {
    "city": "text",
    "status": "text",
    "tags": "list",
    "value_minor": "number",
    "last_seen_at": "date",
    "first_seen_at": "date",
}
EARTH_KILOMETERS = 6371.0088


@dataclass
class Happening:
    name: str
    at: datetime
    properties: dict[str, Any]


@dataclass
class Person:
    """`segments` are those it stands in; `consents` its ledger: channel, topic, state and moment, as they
    were written.

    `predictions` are value, band and the moment they lapse, by name.
    """

    fields: dict[str, Any]
    attributes: dict[str, Any]
    events: list[Happening] = field(default_factory=list)
    id: int = 0
    segments: set[int] = field(default_factory=set)
    consents: list[tuple[str, str | None, str, datetime]] = field(default_factory=list)
    predictions: dict[str, tuple[float, str, datetime]] = field(default_factory=dict)

    @property
    def zone(self) -> ZoneInfo:
        """Where it lives; where the organisation is when that is no place."""
        try:
            return ZoneInfo(self.fields.get("timezone") or "nowhere")
        except (KeyError, ValueError, OSError):
            return HOME


def is_true(rule: dict[str, Any], person: Person, now: datetime, kinds: dict[str, str]) -> bool:
    if "match" in rule:
        count = sum(is_true(child, person, now, kinds) for child in rule["rules"])
        enough = {"all": len(rule["rules"]), "any": 1, "none": 1, "at_least": rule.get("count")}[rule["match"]]
        return (count >= enough) != (rule["match"] == "none")
    if "event" in rule:
        return oracle_behaviours.is_true(rule, person.events, now, _fits(now, kinds))
    if "field" in rule:
        return oracle_fields.holds(rule, _given(rule, person, now, kinds))
    if "prediction" in rule:
        return _is_predicted(rule, person, now)
    return _other(rule, person)


def critical_moments(rule: dict[str, Any], person: Person, kinds: dict[str, str]) -> list[datetime]:
    """Every moment at which some condition of the rule may change by time alone."""
    if "match" in rule:
        return sorted({moment for child in rule["rules"] for moment in critical_moments(child, person, kinds)})
    if "event" in rule:
        return oracle_behaviours.critical_moments(rule, person.events)
    if "field" in rule:
        return oracle_fields.critical_moments(rule, _given(rule, person, datetime.max, kinds))
    if rule.get("prediction") in person.predictions:
        return [person.predictions[rule["prediction"]][2]]
    return []


def _given(rule: dict[str, Any], person: Person, now: datetime, kinds: dict[str, str]) -> Given:
    name = rule["field"]
    if name.startswith("attributes."):
        return Given(person.attributes.get(name.removeprefix("attributes.")), kinds[name], now, person.zone)
    return Given(person.fields[name], KINDS[name], now, person.zone, is_column=True)


def _fits(now: datetime, kinds: dict[str, str]) -> oracle_behaviours.Fits:
    def fits(event: Happening, item: dict[str, Any]) -> bool:
        raw, kind = event.properties.get(item["property"]), kinds[item["property"]]
        raw = oracle_behaviours.plain_number(raw) if kind == "number" else raw
        return oracle_fields.holds(item, Given(raw, kind, now, HOME))

    return fits


def _other(rule: dict[str, Any], person: Person) -> bool:
    if "segment" in rule:
        return (rule["segment"] in person.segments) == (rule["operator"] == "in")
    if "consent" in rule:
        # Of one moment the word about the topic counts, then the one written last.
        words = [
            (moment, topic is not None, number, state)
            for number, (channel, topic, state, moment) in enumerate(person.consents)
            if channel == rule["consent"] and topic in (None, rule.get("topic"))
        ]
        return bool(words and max(words)[3] == "granted") == (rule["operator"] == "granted")
    if "bucket" in rule:
        digest = hashlib.md5(f"{rule['bucket']['salt']}:{person.id}".encode()).hexdigest()
        return rule["bucket"]["from"] <= int(digest[:8], 16) % 100 <= rule["bucket"]["to"]
    return _is_near(rule, person) == (rule["operator"] == "within")


def _is_predicted(rule: dict[str, Any], person: Person, now: datetime) -> bool:
    value, band, until = person.predictions.get(rule["prediction"], (0.0, "", now))
    if until <= now:
        return rule["operator"] in ("not_band", "not_set")
    asked = rule.get("value")
    answers = {
        "band": lambda: band in asked,
        "not_band": lambda: band not in asked,
        "greater": lambda: value > asked,
        "greater_or_equal": lambda: value >= asked,
        "less": lambda: value < asked,
        "less_or_equal": lambda: value <= asked,
        "between": lambda: asked[0] <= value <= asked[1],
        "is_set": lambda: True,
        "not_set": lambda: False,
    }
    return answers[rule["operator"]]()


def _is_near(rule: dict[str, Any], person: Person) -> bool:
    latitude, longitude = (
        oracle_fields.typed(person.attributes.get(name), "number") for name in ("latitude", "longitude")
    )
    if latitude is None or longitude is None or abs(latitude) > 90 or abs(longitude) > 180:
        return False
    here = (math.radians(latitude), math.radians(longitude))
    there = (math.radians(rule["near"]["latitude"]), math.radians(rule["near"]["longitude"]))
    # Another way than the haversine: the angle between two arrows from the middle of the earth.
    arrows = [
        (math.cos(up) * math.cos(round_), math.cos(up) * math.sin(round_), math.sin(up))
        for up, round_ in (here, there)
    ]
    chord = math.dist(*arrows)
    return 2 * EARTH_KILOMETERS * math.asin(min(1, chord / 2)) <= rule["near"]["kilometers"]
