"""The rule language once more, naively, one person at a time, in plain Python. Tests hold the SQL against it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from segments.tests import oracle_behaviours

KINDS = {"city": "text", "status": "text", "tags": "list", "value_minor": "number", "last_seen_at": "date"}
DATE = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?", re.ASCII)


@dataclass
class Happening:
    name: str
    at: datetime
    properties: dict[str, Any]


@dataclass
class Person:
    fields: dict[str, Any]
    attributes: dict[str, Any]
    events: list[Happening] = field(default_factory=list)


def is_true(rule: dict[str, Any], person: Person, now: datetime, kinds: dict[str, str]) -> bool:
    if "match" in rule:
        answers = [is_true(child, person, now, kinds) for child in rule["rules"]]
        return {"all": all(answers), "any": any(answers), "none": not any(answers)}[rule["match"]]
    if "event" in rule:
        return oracle_behaviours.is_true(rule, person.events, now, _fits(now, kinds))
    name = rule["field"]
    if name.startswith("attributes."):
        key = name.removeprefix("attributes.")
        return _holds(rule, person.attributes.get(key), kinds[name], now)
    return _holds(rule, person.fields[name], KINDS[name], now, is_column=True)


def critical_moments(rule: dict[str, Any], person: Person) -> list[datetime]:
    """Every moment at which some condition of the rule may change by time alone."""
    if "match" in rule:
        return sorted({moment for child in rule["rules"] for moment in critical_moments(child, person)})
    if "event" in rule:
        return oracle_behaviours.critical_moments(rule, person.events)
    if rule["operator"] == "in_last":
        name = rule["field"]
        raw = person.attributes.get(name.removeprefix("attributes.")) if "." in name else person.fields[name]
        moment = _date(raw)
        return [moment, moment + span(rule["value"])] if moment else []
    return []


def span(raw: Any) -> timedelta:
    return timedelta(days=raw) if isinstance(raw, int) else timedelta(**raw)


def _fits(now: datetime, kinds: dict[str, str]) -> oracle_behaviours.Fits:
    def fits(event: Happening, item: dict[str, Any]) -> bool:
        return _holds(item, event.properties.get(item["property"]), kinds[item["property"]], now)

    return fits


def _holds(rule: dict[str, Any], raw: Any, kind: str, now: datetime, *, is_column: bool = False) -> bool:
    operator, wanted = rule["operator"], rule.get("value")
    negated = {"not_equals": "equals", "not_contains": "contains", "not_in": "in", "not_set": "is_set"}
    if operator in negated:
        return not _holds(rule | {"operator": negated[operator]}, raw, kind, now, is_column=is_column)
    if operator == "is_set":
        empty = [None, "", [], {}] if not is_column or kind != "number" else [None, 0]
        return not any(type(raw) is type(item) and raw == item for item in empty)
    value = _typed(raw, kind)
    if value is None:
        return False
    if operator == "in":
        return value in wanted
    if operator == "contains":
        if kind == "text":
            return wanted in value
        return any(item == wanted and isinstance(item, bool) == isinstance(wanted, bool) for item in value)
    if operator == "starts_with":
        return value.startswith(wanted)
    if operator == "ends_with":
        return value.endswith(wanted)
    if operator == "in_last":
        return now - span(wanted) < value <= now
    return _compare(operator, value, wanted, kind)


def _compare(operator: str, value: Any, wanted: Any, kind: str) -> bool:
    if kind != "date":
        return {"equals": value == wanted, "greater": operator == "greater" and value > wanted}.get(
            operator, operator == "less" and value < wanted
        )
    moment = _date(wanted)
    if operator == "equals":
        width = timedelta(days=1) if len(wanted) == 10 else timedelta(microseconds=1)
        return moment <= value < moment + width
    return value > moment if operator == "greater" else value < moment


def _typed(raw: Any, kind: str) -> Any:
    if kind == "text":
        return raw if isinstance(raw, str) or raw is None else json.dumps(raw, ensure_ascii=False)
    if kind == "date":
        return _date(raw)
    fits = {"number": isinstance(raw, int | float) and not isinstance(raw, bool)}
    fits |= {"boolean": isinstance(raw, bool), "list": isinstance(raw, list)}
    return raw if fits[kind] else None


def _date(raw: Any) -> datetime | None:
    if isinstance(raw, datetime):
        return raw
    if not isinstance(raw, str) or not DATE.fullmatch(raw):
        return None
    try:
        moment = datetime.fromisoformat(raw)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
