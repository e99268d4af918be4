"""Conditions of the rule language as patterns need them, in its JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Rule = dict[str, Any]


def every(*rules: Rule) -> Rule:
    """All of these."""
    return {"match": "all", "rules": list(rules)}


def either(*rules: Rule) -> Rule:
    """Any of these."""
    return {"match": "any", "rules": list(rules)}


def none(*rules: Rule) -> Rule:
    """None of these."""
    return {"match": "none", "rules": list(rules)}


def did(event: str, count: int = 1, days: int | None = None, where: Sequence[Rule] = ()) -> Rule:
    """At least `count` times, in the last `days` or ever."""
    return _event(event, "did", {"count": count}, _span(days), where)


def did_not(event: str, count: int = 1, days: int | None = None, where: Sequence[Rule] = ()) -> Rule:
    """Fewer than `count` times, in the last `days` or ever."""
    return _event(event, "did_not", {"count": count}, _span(days), where)


def first_time(event: str, days: int) -> Rule:
    """The first one ever lies in the last `days`."""
    return _event(event, "first_time", {}, _span(days), ())


def did_between(event: str, first_day: str, last_day: str) -> Rule:
    """At least once between two days."""
    return _event(event, "did", {"count": 1}, {"from": first_day, "to": last_day}, ())


def summed(
    event: str, property_name: str, compare: str, value: float, days: int | None, where: Sequence[Rule] = ()
) -> Rule:
    """The sum of a property in the last `days` compares so with `value`."""
    inputs = {"property": property_name, "compare": compare, "value": value}
    return _event(event, "sum", inputs, _span(days), where)


def overdue(event: str, count: int, times: int) -> Rule:
    """At least `count` times, then silent for `times` times the middle of the contact's own gaps."""
    return _event(event, "overdue", {"count": count, "times": times}, None, ())


def where(property_name: str, operator: str, *value: Any) -> Rule:
    """A condition on a property of an event."""
    return {"property": property_name, "operator": operator} | ({"value": value[0]} if value else {})


def on(field: str, operator: str, *value: Any) -> Rule:
    """A condition on a field of a contact."""
    return {"field": field, "operator": operator} | ({"value": value[0]} if value else {})


def near(place: dict[str, Any], operator: str = "within") -> Rule:
    """Within `kilometers` of a `latitude` and `longitude`."""
    return {"near": place, "operator": operator}


def _span(days: int | None) -> dict[str, Any] | None:
    return None if days is None else {"days": days}


def _event(
    event: str, operator: str, inputs: Rule, within: dict[str, Any] | None, where: Sequence[Rule]
) -> dict[str, Any]:
    rule: Rule = {"event": event, "operator": operator, **inputs}
    if within is not None:
        rule["within"] = within
    if where:
        rule["where"] = list(where)
    return rule
